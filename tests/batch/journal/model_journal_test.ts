/** Journals with the results of several requested models. */
import assert from "node:assert/strict";
import { Journal } from "../../../lib/batch/journal/journal.ts";
import {
  ModelJournal,
  unmarkedProblem,
  unmarkedResults,
} from "../../../lib/batch/journal/model_journal.ts";
import type { ResultRecord } from "../../../lib/batch/journal/result_line.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

function result(index: number, fields: Partial<ResultRecord> = {}): ResultRecord {
  const input = [{ role: "user" as const, content: `Question ${index}` }];
  return { index, output: "yes", status: "success", input, ...fields };
}

function text(...records: ResultRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

Deno.test("models do not share states, costs or lines, and are sorted by record", async () => {
  using folder = temporaryFolder();
  const path = folder.file("out.jsonl");
  const first = await Journal.open(path);
  const [a, b] = ["a", "b"].map((model) => new ModelJournal(first, model));
  a.append([result(1, { cost: 1 }), result(0, { status: "error", cost: 2 })]);
  b.append([result(0, { cost: 4 })]);
  assert.deepEqual([a.successes, a.errors, b.successes, b.errors], [1, 1, 1, 0]);
  assert.deepEqual([a.state(0), b.state(0), a.state(1), b.state(1)], [
    ...["error", "success", "success", "none"],
  ]);
  assert.equal(first.state(0), "none");
  a.append([result(0)]);
  first.compact();
  first.close();

  const lines = folder.read("out.jsonl").trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ index, requested_model, spent_before }) => [index, requested_model, spent_before]),
    [[0, "a", 2], [0, "b", undefined], [1, "a", undefined]],
  );
  const again = await Journal.open(path);
  assert.deepEqual([again.models, again.cost, again.successes], [["a", "b"], 7, 3]);
  const restored = new ModelJournal(again, "b");
  assert.throws(() => restored.isDone(0, [{ role: "user", content: "Other" }]), /record 0 differs/);
  assert.equal(restored.isDone(0, result(0).input), true);
  assert.equal(restored.isDone(1, result(1).input), false);
  again.close();
});

Deno.test("marking adds the model to every line, and changes nothing else", async () => {
  using folder = temporaryFolder();
  const odd = `{"output": "1.10", "index": 2, "status": "success", "input": [], "n": 1.10}\n`;
  const python = `{"index": 1, "output": "é", "status": "success", "input": []}\n`;
  const path = folder.write("out.jsonl", text(result(0)) + python + odd);
  const journal = await Journal.open(path);
  journal.markModel('a "b"');
  journal.close();
  const mark = '"requested_model":"a \\"b\\""';
  assert.equal(
    folder.read("out.jsonl"),
    text(result(0)).replace('{"index":0', `{"index":0,${mark}`) +
      python.replace('{"index": 1', `{"index": 1,${mark}`) +
      odd.replace("{", `{"index":2,${mark},`),
  );
});

Deno.test("the model of results that do not name it is the one that all answers report", async () => {
  using folder = temporaryFolder();
  const models = [
    ...[{ name: "mini", model: "gpt-5.4-mini" }, { name: "large", model: "gpt-5.4" }],
    ...[{ name: "local", model: "Qwen/qwen3-8b" }],
  ];
  const modelOf = async (...reported: (string | undefined)[]) => {
    const records = reported.map((model, i) => result(i, { model }));
    const journal = await Journal.open(folder.write("out.jsonl", text(...records)));
    journal.close();
    return unmarkedResults(journal, models).model;
  };
  assert.equal(await modelOf("gpt-5.4-mini", "gpt-5.4-mini-2026-03-17"), "mini");
  assert.equal(await modelOf("gpt-5.4"), "large");
  assert.equal(await modelOf("qwen3-8b"), "local");
  assert.equal(await modelOf("gpt-5.4", "gpt-5.4-mini"), undefined);
  assert.equal(await modelOf("gpt-5.4-nano"), undefined);
  assert.equal(await modelOf(undefined), undefined);
});

Deno.test("results of several models that do not name theirs are an error that lists them", async () => {
  using folder = temporaryFolder();
  const problemOf = async (...reported: string[]) => {
    const records = reported.map((model, i) => result(i, { model }));
    const journal = await Journal.open(folder.write("out.jsonl", text(...records)));
    journal.close();
    return unmarkedProblem("out.jsonl", journal).message;
  };
  assert.match(await problemOf("a", "b"), /^out\.jsonl has answers from a, b in results without/);
  assert.match(await problemOf("a", "a"), /has the answers of a single model \(a\), which is none/);
});

Deno.test("a requested model that is not a string is not a result", async () => {
  using folder = temporaryFolder();
  const path = folder.write("out.jsonl", '{"index":0,"status":"error","requested_model":1}\n');
  await assert.rejects(
    Journal.open(path),
    /:1 is not a result .*"requested_model" is not a string/,
  );
});
