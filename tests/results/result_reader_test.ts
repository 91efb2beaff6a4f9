/** Reading result files: each record once, whatever the file has been through. */
import assert from "node:assert/strict";
import { ResultReader } from "../../lib/results/result_reader.ts";
import { openResults } from "../../lib/results/result_source.ts";
import { ResultSelection } from "../../lib/results/selection.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

function line(index: number, rest: Record<string, unknown> = {}): string {
  return `${JSON.stringify({ index, output: "Yes.", status: "success", ...rest })}\n`;
}

/** Reads files with these contents. */
async function read<T>(contents: string[], use: (reader: ResultReader) => T): Promise<T> {
  using folder = temporaryFolder();
  const paths = contents.map((content, i) => folder.write(`${i}.jsonl`, content));
  const sources = await openResults(paths);
  try {
    return use(new ResultReader(sources));
  } finally {
    for (const source of sources) source.close();
  }
}

function summaryOf(reader: ResultReader) {
  const { succeeded, failed, cost } = new ResultSelection(reader, {}).summarize();
  return { succeeded, failed, cost, ...reader.skipped };
}

const failure = { status: "error", output: null, error_code: "http", error: "no" };

Deno.test("the last line of a record counts, in both orders and for each model", async () => {
  const content = line(0, { cost: 1 }) + line(1, failure) + line(0, failure) +
    line(1, { cost: 2 }) +
    line(0, { requested_model: "a", cost: 4 }) + line(0, { requested_model: "b", cost: 8 });
  const found = await read([content], summaryOf);
  assert.deepEqual(
    [found.succeeded, found.failed, found.cost, found.replaced],
    [3, 1, 14, 2],
  );
});

Deno.test("records of several files are different ones", async () => {
  const found = await read([line(0) + line(1), line(1) + line(1), line(2)], summaryOf);
  assert.deepEqual([found.succeeded, found.replaced], [4, 1]);
});

Deno.test("a damaged line does not replace the result before it", async () => {
  const found = await read([`${line(0)}{"index":0,"status":"succ\n${line(1)}`], summaryOf);
  assert.deepEqual([found.succeeded, found.damaged, found.replaced], [2, 1, 0]);
  assert.equal(found.examples[0].reason, "it is not JSON");
});

Deno.test("a last half line is no damage", async () => {
  for (const rest of ['{"index":2,"outp', "{", '{ "index": 2', "\0\0\0", '{"in\0\0']) {
    const found = await read([line(0) + rest], summaryOf);
    assert.deepEqual([found.damaged, found.unfinished.length], [0, 1], rest);
  }
  const whole = await read([line(0) + line(1).trimEnd()], summaryOf);
  assert.deepEqual([whole.succeeded, whole.unfinished.length], [2, 0]);
});

Deno.test("a file without any result is refused, an empty one is not", async () => {
  await assert.rejects(read(['{"q":"Hi"}\n'], summaryOf), /0\.jsonl:1 is not a result of flexllm/);
  await assert.rejects(read(["PK\x03\x04"], summaryOf), /is a spreadsheet .*, not a result file/);
  await assert.rejects(read([line(0), "Hello\n"], summaryOf), /1\.jsonl:1 is not a result/);
  assert.equal((await read(["\n\n"], summaryOf)).succeeded, 0);
});

Deno.test("the hint for an events file names the result file", async () => {
  using folder = temporaryFolder();
  const path = folder.write("answers.jsonl.events", '{"type":"run"}\n');
  const [source] = await openResults([path]);
  const reader = new ResultReader([source]);
  assert.throws(() => reader.each(() => true), {
    hint: `Name the result file instead: ${path.slice(0, -".events".length)}.`,
  });
  source.close();
});

Deno.test("long lines, and lines at the borders of what is read at once", async () => {
  const long = "x".repeat(3_000_000);
  const border = (1 << 20) - line(0, { output: "" }).length;
  const contents = [-1, 0, 1].map((more) =>
    line(0, { output: "y".repeat(border + more) }) + line(1, { output: long }) + line(2) + line(3)
  );
  for (const content of contents) {
    const lengths = await read([content], (reader) => {
      const found: number[] = [];
      reader.each((each) => {
        const record = each.parse();
        assert.ok(typeof record !== "string");
        found.push(record.output!.length);
      });
      return found;
    });
    assert.deepEqual(lengths.slice(1), [long.length, 4, 4]);
  }
});

Deno.test("lines that are appended while a file is read are ignored", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", line(0) + line(1));
  const sources = await openResults([path]);
  folder.write("out.jsonl", line(0) + line(1) + line(2));
  assert.equal(summaryOf(new ResultReader(sources)).succeeded, 2);
  for (const source of sources) source.close();
});
