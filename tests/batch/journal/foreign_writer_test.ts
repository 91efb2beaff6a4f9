/** Result files that another program writes to while a batch is writing them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import type { Message } from "../../../mod.ts";
import { Journal } from "../../../lib/batch/journal/journal.ts";
import type { ResultRecord } from "../../../lib/batch/journal/result_line.ts";
import { seededRandom } from "../../../lib/runtime/random.ts";
import { jsonLines, temporaryFolder } from "../../support/temporary_folder.ts";

function question(index: number): Message[] {
  return [{ role: "user", content: `Question ${index}` }];
}

function record(index: number, status: "success" | "error" = "success"): ResultRecord {
  return {
    index,
    output: `Answer ${index} é`.repeat(1 + index % 5),
    status,
    input: question(index),
  };
}

function lines(...records: ResultRecord[]): string {
  return records.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Checks that every record has its own line in the file. */
function assertAllThere(text: string, indexes: readonly number[]): void {
  const found = new Set(text.split("\n"));
  for (const index of indexes) {
    assert.ok(found.has(lines(record(index)).trimEnd()), `record ${index} is lost`);
  }
}

Deno.test("a foreign line loses no answer: the file stays unsorted, and the line is reported", async () => {
  for (const foreign of ['{"x":1}\n', "no JSON\n", '{"torn":', "\ufffd\n", '{"index":1,"st\n']) {
    using folder = temporaryFolder();
    const path = folder.file("out.jsonl");
    const journal = await Journal.open(path);
    journal.append([record(1), record(0)]);
    appendFileSync(path, foreign);
    journal.append([record(3), record(5)]);
    journal.append([record(2), record(4)]);
    assert.equal(journal.read(3).output, record(3).output);
    const before = folder.read("out.jsonl");
    assert.throws(() => journal.compact(), (error: Error) => {
      assert.match(error.message, /another program wrote to .*out\.jsonl.*\n.*out\.jsonl:\d: /);
      return true;
    });
    journal.close();
    assert.equal(folder.read("out.jsonl"), before);
    assertAllThere(before, [0, 1, 2, 3, 4, 5]);
    assert.ok(before.includes(foreign));
    // The next run names the line as well; without it, everything is found and sorted.
    await assert.rejects(Journal.open(path), { code: "journal" });
    const kept = before.split("\n").filter((line) => /^\{"index":\d,"output/.test(line));
    folder.write("out.jsonl", `${kept.join("\n")}\n`);
    const again = await Journal.open(path);
    assert.equal(again.successes, 6);
    again.compact();
    again.close();
    assert.equal(folder.read("out.jsonl"), lines(...[0, 1, 2, 3, 4, 5].map((i) => record(i))));
  }
});

Deno.test("a foreign line after the last result is reported, not removed", async () => {
  for (const order of [[0, 1], [1, 0]]) {
    using folder = temporaryFolder();
    const path = folder.file("out.jsonl");
    const journal = await Journal.open(path);
    journal.append(order.map((i) => record(i)));
    appendFileSync(path, '{"x":1}\n');
    assert.throws(() => journal.compact(), /out\.jsonl:3: its "index" is not/);
    journal.close();
    assert.match(folder.read("out.jsonl"), /\{"x":1\}\n$/);
  }
});

Deno.test("blank lines that appear during the run are removed by sorting", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const journal = await Journal.open(path);
  for (const index of [0, 1, 2]) {
    journal.append([record(index)]);
    appendFileSync(path, index === 1 ? " \r\n" : "\n");
  }
  journal.compact();
  journal.close();
  assert.equal(folder.read("out.jsonl"), lines(record(0), record(1), record(2)));
});

Deno.test("results appended by another writer are accepted if their input is the same", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const journal = await Journal.open(path);
  journal.append([record(0), record(1, "error")]);
  const theirs = { ...record(0), output: "theirs" };
  appendFileSync(path, lines(theirs, { ...record(1), output: "theirs" }, record(3)));
  journal.append([record(2)]);
  journal.compact();
  journal.close();
  const results = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(results.map(({ index }) => index), [0, 1, 2, 3]);
  assert.equal(results[0].output, record(0).output, "our own answer stays");
  assert.deepEqual([results[1].status, results[1].output], ["success", "theirs"]);
});

Deno.test("an appended result for a different input is reported, not removed by sorting", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const journal = await Journal.open(path);
  journal.append([record(1), record(0)]);
  appendFileSync(path, lines({ ...record(0), input: question(77) }));
  assert.throws(() => journal.compact(), /out\.jsonl:3: it is a result for different input/);
  journal.close();
  assertAllThere(folder.read("out.jsonl"), [0, 1]);
});

Deno.test("a line edited in place is detected before the file is replaced", async () => {
  for (const order of [[0, 1, 2], [2, 0, 1]]) {
    for (const at of [0, 30, -2, -1]) {
      using folder = temporaryFolder();
      const path = folder.file("out.jsonl");
      const journal = await Journal.open(path);
      journal.append(order.map((i) => record(i)));
      const length = lines(record(order[0])).length + lines(record(order[1])).length;
      const fd = openSync(path, "r+");
      writeSync(fd, Buffer.from("\n"), 0, 1, at < 0 ? length + at : at);
      closeSync(fd);
      const before = folder.read("out.jsonl");
      assert.throws(() => journal.compact(), { code: "journal" }, `${order} at ${at}`);
      journal.close();
      assert.equal(folder.read("out.jsonl"), before);
    }
  }
});

Deno.test("truncating the file stops the batch after the current results are written", async () => {
  for (const size of [0, 10, 120]) {
    using folder = temporaryFolder();
    const path = folder.file("out.jsonl");
    const journal = await Journal.open(path);
    journal.append([record(0), record(1), record(2)]);
    truncateSync(path, size);
    assert.throws(
      () => journal.append([record(3), record(4)]),
      /was truncated by another program/,
    );
    journal.close();
    assertAllThere(folder.read("out.jsonl"), [3, 4]);
  }
});

Deno.test("no answer is lost, whatever another program does to the file", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    using folder = temporaryFolder();
    const random = seededRandom(seed);
    const pick = (count: number) => Math.floor(random() * count);
    const path = folder.file("out.jsonl");
    const journal = await Journal.open(path);
    const indexes = Array.from({ length: 40 }, (_, i) => i).sort(() => random() - 0.5);
    const foreign = ["\n", '{"x":1}\n', '{"torn', "}\n", lines(record(99)), "\0\0", "é\n"];
    let [next, isForeign] = [0, false];
    while (next < indexes.length) {
      if (pick(3) === 0) {
        const text = foreign[pick(foreign.length)];
        isForeign ||= text !== "\n";
        appendFileSync(path, text);
      }
      const count = 1 + pick(4);
      journal.append(indexes.slice(next, next + count).map((i) => record(i)));
      next += count;
    }
    let sorted = true;
    try {
      journal.compact();
    } catch (error) {
      assert.equal((error as { code: string }).code, "journal");
      sorted = false;
    }
    journal.close();
    const text = folder.read("out.jsonl");
    assertAllThere(text, indexes);
    if (!isForeign) assert.ok(sorted, `seed ${seed}`);
    if (sorted) {
      const found = jsonLines(text).map(({ index }) => index).filter((index) => index < 40);
      assert.deepEqual(found, indexes.toSorted((a, b) => a - b), `seed ${seed}`);
    }
  }
});

Deno.test("a file replaced by an older version is completed from the rescued results", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const first = await Journal.open(path);
  first.append([record(0), { ...record(1, "error"), cost: 1 }]);
  folder.write("older", folder.read("out.jsonl"));
  first.append([record(3), { ...record(1), cost: 2 }]);
  renameSync(folder.file("older"), path);
  assert.throws(() => first.flush(), /was moved, removed or replaced/);
  first.close();
  assert.deepEqual(readdirSync(folder.path).toSorted(), ["out.jsonl", "out.jsonl.rescued"]);

  const looking = await Journal.openToRead(path);
  assert.deepEqual([looking?.isDone(3, question(3)), looking?.successes], [true, 3]);
  looking?.close();
  const second = await Journal.open(path);
  assert.deepEqual([0, 1, 2, 3].map((i) => second.isDone(i, question(i))), [
    true,
    true,
    false,
    true,
  ]);
  assert.equal(second.cost, 3);
  second.append([record(2)]);
  second.compact();
  second.close();
  assert.deepEqual(readdirSync(folder.path), ["out.jsonl"]);
  assert.deepEqual(jsonLines(folder.read("out.jsonl")).map(({ index }) => index), [0, 1, 2, 3]);
});

Deno.test("results written as the replacement is detected are rescued as well", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const first = await Journal.open(path);
  rmSync(path);
  folder.write("out.jsonl", "");
  // The check is due at the first append.
  assert.throws(() => first.append([record(0)]), /replaced/);
  first.close();
  const second = await Journal.open(path);
  assert.equal(second.isDone(0, question(0)), true);
  second.close();
});

Deno.test("a rescued file of another batch is refused, and neither file is changed", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", lines(record(0)));
  const other = { ...record(0), input: question(9) };
  for (const text of [lines(record(1), other), `${lines(record(1))}{"x":1}\n`]) {
    folder.write("out.jsonl.rescued", text);
    await assert.rejects(Journal.open(path), (error: Error & { hint: string }) => {
      assert.match(error.message, /out\.jsonl\.rescued/);
      assert.match(error.hint, /mv .*out\.jsonl\.rescued .*out\.jsonl/);
      return true;
    });
    assert.equal(folder.read("out.jsonl"), lines(record(0)));
    assert.equal(folder.read("out.jsonl.rescued"), text);
  }
});

Deno.test("a lock file that was removed is created again", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const first = await Journal.open(path);
  rmSync(`${path}.lock`);
  first.flush();
  await assert.rejects(Journal.open(path), /another flexllm process is writing/);
  first.append([record(0)]);
  first.close();
  assert.deepEqual(readdirSync(folder.path), ["out.jsonl"]);
});

Deno.test("a writer that has lost its lock stops, without removing the new lock", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const first = await Journal.open(path);
  first.append([record(0), record(3)]);
  rmSync(`${path}.lock`);
  const second = await Journal.open(path);
  // The first check of the path is due in more than a second, but bytes of another writer make it due now.
  second.append([record(1)]);
  assert.throws(() => first.append([record(2)]), /another process is writing/);
  assert.throws(() => first.append([record(4)]), /another process is writing/);
  first.close();
  await assert.rejects(Journal.open(path), /another flexllm process is writing/);
  second.append([record(2), record(4)]);
  second.compact();
  second.close();
  assert.equal(folder.read("out.jsonl"), lines(...[0, 1, 2, 3, 4].map((i) => record(i))));
  assert.deepEqual(readdirSync(folder.path), ["out.jsonl"]);
});
