import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IndexedRecord } from "../../../../lib/batch/executor.ts";
import { ExportExecutor, type ExportOptions } from "../../../../lib/batch/executors/export.ts";
import { ImportExecutor, type ImportOptions } from "../../../../lib/batch/executors/import.ts";
import { openPartStore, readParts } from "../../../../lib/batch/jobs/open_part_store.ts";
import {
  ConfigurationError,
  InvalidInputError,
  JournalMismatchError,
} from "../../../../lib/errors.ts";
import { chatResult } from "../../../support/chat_result.ts";
import { jsonLines, temporaryFolder } from "../../../support/temporary_folder.ts";
import {
  answerLine,
  errorLine,
  exportedRequests,
  offlineClient,
  runBatch,
} from "./offline_runner.ts";
import { planPart, recordAt } from "./part_fixtures.ts";

const RECORDS = Array.from({ length: 7 }, (_, i) => recordAt(i));

/** An output file and a folder for exported files. */
function place() {
  const folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const exported = folder.file("exported");
  return {
    folder,
    output,
    exported,
    async export(records: readonly IndexedRecord[], options: Partial<ExportOptions> = {}) {
      let executor!: ExportExecutor;
      const items = await runBatch(output, records, ({ store }) => {
        return executor = new ExportExecutor({
          client: offlineClient(),
          store,
          folder: exported,
          ...options,
        });
      });
      return { items, executor };
    },
    async import(
      records: readonly IndexedRecord[],
      paths: readonly string[],
      options: Partial<ImportOptions> = {},
    ) {
      let executor!: ImportExecutor;
      const notes: string[] = [];
      const items = await runBatch(output, records, ({ store, isDone }) => {
        return executor = new ImportExecutor({
          client: offlineClient(),
          store,
          paths,
          isDone,
          onNote: (text) => notes.push(text),
          ...options,
        });
      });
      return { items, executor, notes };
    },
    /** Writes a file of results. */
    results(name: string, lines: readonly string[]): string {
      const path = folder.file(name);
      writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
      return path;
    },
    outputs(): [number, string | null][] {
      // An empty result file is removed.
      if (!existsSync(output)) return [];
      return jsonLines(readFileSync(output, "utf8")).map(({ index, output }) => [index, output]);
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("exported files have the lines that vllm run-batch reads", async () => {
  using at = place();
  const odd = recordAt(7, "line\u2028separator \ud83d\ude00 lone \ud800");
  const { items, executor } = await at.export([...RECORDS, odd], { rows: 5 });
  assert.deepEqual(items, []);
  assert.deepEqual(executor.files.map(({ rows, status }) => [rows, status]), [
    [5, "new"],
    [3, "new"],
  ]);
  const texts = executor.files.map(({ path }) => readFileSync(path, "utf8"));
  assert.ok(!texts.join("").includes("\u2028"));
  const requests = texts.flatMap((text) => jsonLines(text));
  assert.equal(requests.length, 8);
  for (const { custom_id, method, url, body } of requests) {
    assert.match(custom_id, /^[a-z0-9]{10}_\d_[0-9a-f]{8}$/);
    assert.deepEqual([method, url, body.model], ["POST", "/v1/chat/completions", "m"]);
  }
  assert.equal(requests[7].body.messages[0].content, odd.messages[0].content);
  assert.deepEqual(readParts(at.output).map(({ phase, api, reserved }) => [phase, api, reserved]), [
    ["exported", "export", 0],
    ["exported", "export", 0],
  ]);
  assert.deepEqual(executor.views().map(({ rows, state }) => [rows, state]), [
    [5, "exported"],
    [3, "exported"],
  ]);
});

Deno.test("results come back in any order and complete the part", async () => {
  using at = place();
  await at.export(RECORDS);
  const requests = exportedRequests(at.exported);
  const path = at.results("results.jsonl", requests.toReversed().map(answerLine));
  const { items, executor, notes } = await at.import(RECORDS, [path]);
  assert.equal(items.length, 7);
  assert.deepEqual(notes, []);
  assert.equal(executor.report.answered, 7);
  const outputs = RECORDS.map(({ index }) => [index, `echo Question ${index}`]);
  assert.deepEqual(at.outputs().sort(([a], [b]) => a - b), outputs);
  const [part] = readParts(at.output);
  assert.equal(part.phase, "collected");
  assert.deepEqual(part.collected, { answered: 7, failed: 0, left: 0, missing: 0 });
  assert.deepEqual(readdirSync(`${at.output}.parts`), ["log.jsonl"]);
  const again = await at.import(RECORDS, [path]);
  assert.deepEqual(again.items, []);
  assert.deepEqual(again.notes, ["7 results had already been imported."]);
});

Deno.test("incomplete results leave the rest exported, until a later import", async () => {
  using at = place();
  await at.export(RECORDS);
  const requests = exportedRequests(at.exported);
  const lines = requests.map(answerLine);
  // vLLM is still writing: the last line is torn.
  const path = at.results("results.jsonl", lines.slice(0, 3));
  writeFileSync(path, readFileSync(path, "utf8") + lines[3].slice(0, 40));
  const first = await at.import(RECORDS, [path]);
  assert.equal(first.items.length, 3);
  assert.equal(first.executor.report.left, 4);
  assert.match(first.notes.join(), /4 exported records still have no result/);
  assert.equal(readParts(at.output)[0].phase, "exported");
  // The rows without a result are not exported a second time.
  const { executor } = await at.export(RECORDS);
  assert.deepEqual(executor.files.map(({ status }) => status), ["existing"]);
  assert.equal(exportedRequests(at.exported).length, 7);
  const rest = at.results("rest.jsonl", lines.slice(3));
  const second = await at.import(RECORDS, [rest]);
  assert.deepEqual([second.items.length, second.executor.report.left], [4, 0]);
  assert.equal(readParts(at.output)[0].phase, "collected");
});

Deno.test("a folder of requests and results can be imported", async () => {
  using at = place();
  await at.export(RECORDS, { rows: 4 });
  const requests = exportedRequests(at.exported);
  writeFileSync(join(at.exported, "results.jsonl"), requests.map(answerLine).join("\n"));
  const { items, notes } = await at.import(RECORDS, [at.exported]);
  assert.equal(items.length, 7);
  assert.deepEqual(notes, []);
});

Deno.test("failed rows become errors, and an answer in another file wins", async () => {
  using at = place();
  await at.export(RECORDS.slice(0, 4));
  const requests = exportedRequests(at.exported);
  const envelope = { error: { message: "too long", type: "BadRequestError", code: 400 } };
  const path = at.results("results.jsonl", [
    errorLine(requests[0], 400, "Request must not be sent in stream mode"),
    errorLine(requests[1], 400, envelope),
    errorLine(requests[2], 500, { object: "error", message: "engine died", code: 500 }),
    errorLine(requests[3], 500, "engine died"),
  ]);
  const retried = at.results("retried.jsonl", [answerLine(requests[3])]);
  const { executor, notes } = await at.import(RECORDS.slice(0, 4), [path, retried]);
  assert.deepEqual([executor.report.answered, executor.report.failed], [1, 3]);
  assert.deepEqual(notes, []);
  const lines = jsonLines(readFileSync(at.output, "utf8")).sort((a, b) => a.index - b.index);
  assert.deepEqual(lines.map(({ status }) => status), ["error", "error", "error", "success"]);
  assert.match(lines[0].error, /400.*stream mode/s);
  assert.match(lines[1].error, /400.*too long/s);
  assert.match(lines[2].error, /500.*engine died/s);
  assert.equal(readParts(at.output)[0].phase, "collected");
  // Failed records are free again.
  await at.export(RECORDS.slice(0, 4));
  assert.equal(readParts(at.output)[1].rows, 3);
});

Deno.test("foreign, double and unreadable results are reported and change nothing", async () => {
  using at = place();
  await at.export(RECORDS);
  const requests = exportedRequests(at.exported);
  const lines = requests.map(answerLine);
  const changedId = requests[0].custom_id.replace(/.{8}$/, "00000000");
  const path = at.results("results.jsonl", [
    lines[0],
    lines[0].replace("echo", "another"),
    answerLine({ ...requests[0], custom_id: changedId }),
    answerLine({ ...requests[0], custom_id: "request-1" }),
    "not JSON",
    "",
    JSON.stringify({ custom_id: requests[1].custom_id }),
    JSON.stringify({
      custom_id: requests[2].custom_id,
      response: null,
      error: { code: "batch_expired" },
    }),
    ...lines.slice(3),
  ]);
  const { notes, executor } = await at.import(RECORDS, [path]);
  assert.deepEqual(executor.report, {
    answered: 5,
    failed: 0,
    alreadyDone: 0,
    alreadyImported: 0,
    unknown: 2,
    double: 1,
    notRun: 1,
    unreadable: { lines: 2, first: `${path}:5: it is not JSON` },
    left: 2,
  });
  assert.equal(notes.length, 5);
  assert.deepEqual(at.outputs()[0], [0, "echo Question 0"]);
});

Deno.test("what is no result is refused before anything is imported", async () => {
  using at = place();
  await assert.rejects(at.import(RECORDS, [at.exported]), (error) => {
    return error instanceof ConfigurationError && /nothing was exported/.test(error.message);
  });
  await at.export(RECORDS);
  const [requests] = readdirSync(at.exported);
  mkdirSync(at.folder.file("empty"));
  const cases: [string, RegExp][] = [
    [at.folder.file("none.jsonl"), /cannot read .*none\.jsonl: it does not exist/],
    [at.folder.file("empty"), /has no \.jsonl files/],
    [join(at.exported, requests), /has requests, not results/],
    [at.results("a.jsonl", ['{"text":"hello"}']), /a\.jsonl:1 .*it has no "custom_id"/],
    [at.results("b.jsonl", ["id,answer"]), /b\.jsonl:1 .*it is not JSON/],
    [
      at.results("c.jsonl", [answerLine({ ...exportedRequests(at.exported)[0], custom_id: "x" })]),
      /none of the imported results belongs to this result file/,
    ],
  ];
  for (const [path, pattern] of cases) {
    await assert.rejects(at.import(RECORDS, [path]), (error) => {
      assert.ok(error instanceof InvalidInputError, String(error));
      assert.match(error.message, pattern);
      assert.ok(error.hint);
      return true;
    });
  }
  assert.deepEqual(at.outputs(), []);
  assert.equal(readParts(at.output)[0].phase, "exported");
});

Deno.test("an input that has changed since it was exported is refused", async () => {
  using at = place();
  await at.export(RECORDS);
  const requests = exportedRequests(at.exported);
  const path = at.results("results.jsonl", requests.map(answerLine));
  const changed = RECORDS.with(3, recordAt(3, "another question"));
  for (const run of [() => at.import(changed, [path]), () => at.export(changed)]) {
    await assert.rejects(run, (error) => {
      assert.ok(error instanceof JournalMismatchError);
      assert.equal(error.index, 3);
      assert.match(error.message, /record 3 \(in\.jsonl:4\) has changed since it was exported/);
      return true;
    });
  }
  assert.deepEqual(at.outputs(), []);
  await at.import(changed, [path], { rerunChanged: true });
  const line = jsonLines(readFileSync(at.output, "utf8")).find(({ index }) => index === 3);
  assert.equal(line.input[0].content, "Question 3");
});

Deno.test("a file that is missing is written again, and a killed export is completed", async () => {
  using at = place();
  await at.export(RECORDS);
  const [name] = readdirSync(at.exported);
  const path = join(at.exported, name);
  const content = readFileSync(path, "utf8");
  rmSync(path);
  const { executor } = await at.export(RECORDS);
  assert.deepEqual(executor.files.map(({ status }) => status), ["restored"]);
  assert.equal(readFileSync(path, "utf8"), content);
  // Killed between planning and copying, with half of the file on disk.
  const log = `${at.output}.parts/log.jsonl`;
  writeFileSync(log, readFileSync(log, "utf8").split("\n")[0] + "\n");
  writeFileSync(`${path}.tmp`, content.slice(0, 100));
  rmSync(path);
  const again = await at.export(RECORDS);
  assert.deepEqual(again.executor.files.map(({ status }) => status), ["restored"]);
  assert.deepEqual(readdirSync(at.exported), [name]);
  assert.equal(readFileSync(path, "utf8"), content);
  assert.equal(readParts(at.output)[0].phase, "exported");
});

Deno.test("--resend exports rows again under new ids, and old results no longer fit", async () => {
  using at = place();
  await at.export(RECORDS);
  const path = at.results("results.jsonl", exportedRequests(at.exported).map(answerLine));
  const { executor } = await at.export(RECORDS, { resend: true });
  assert.deepEqual(executor.files.map(({ rows, status }) => [rows, status]), [[7, "new"]]);
  assert.deepEqual(readParts(at.output).map(({ phase }) => phase), ["dropped", "exported"]);
  const { items, executor: imported } = await at.import(RECORDS, [path]);
  assert.deepEqual([items.length, imported.report.left], [0, 7]);
});

Deno.test("records at a provider are not exported", async () => {
  using at = place();
  {
    using store = await openPartStore(at.output);
    planPart(store, RECORDS.slice(0, 3));
  }
  const { executor } = await at.export(RECORDS);
  assert.deepEqual([executor.files.map(({ rows }) => rows), executor.elsewhere], [[4], 3]);
});

Deno.test("models have files of their own, and each import leaves the other's alone", async () => {
  using at = place();
  const own = { ...recordAt(7), options: { model: "n" } };
  await at.export([...RECORDS, own], { requestedModel: "first" });
  assert.deepEqual(readParts(at.output).map(({ model, rows }) => [model, rows]), [
    ["m", 7],
    ["n", 1],
  ]);
  await at.export(RECORDS, { requestedModel: "second" });
  const path = at.results("results.jsonl", exportedRequests(at.exported).map(answerLine));
  const { notes, executor } = await at.import([...RECORDS, own], [path], {
    requestedModel: "first",
  });
  assert.deepEqual([executor.report.answered, notes], [8, []]);
  assert.deepEqual(readParts(at.output).map(({ phase }) => phase), [
    "collected",
    "collected",
    "exported",
  ]);
});

Deno.test("requests in another format cannot be exported", async () => {
  using at = place();
  const client = {
    ...offlineClient(),
    endpoint: "http://127.0.0.1/v1",
    prepare: () => {
      const request = { body: "{}", model: "m", path: "/responses" };
      return Promise.resolve({ request, promptTokens: 1, maxCost: 0 });
    },
  };
  await assert.rejects(at.export(RECORDS, { client }), (error) => {
    return error instanceof ConfigurationError && /these requests are for \/responses/.test(
      error.message,
    );
  });
  assert.equal(existsSync(`${at.output}.parts`), false);
});

Deno.test("answers from the cache and invalid records need no file", async () => {
  using at = place();
  const client = offlineClient();
  const cached = chatResult("from the cache");
  const { items } = await at.export([...RECORDS, { index: 7, messages: [] }], {
    client: {
      endpoint: client.endpoint,
      prepare: (record) => {
        return record.index === 2 ? Promise.resolve({ cached }) : client.prepare(record);
      },
    },
  });
  assert.deepEqual(items.map(({ index, status }) => [index, status]), [
    [2, "success"],
    [7, "error"],
  ]);
  assert.deepEqual(readParts(at.output).map(({ rows }) => rows), [6]);
});

Deno.test("a stopped export leaves no half files behind", async () => {
  using at = place();
  let executor!: ExportExecutor;
  await runBatch(at.output, RECORDS, ({ store }) => {
    const client = offlineClient();
    return executor = new ExportExecutor({
      client: {
        endpoint: client.endpoint,
        prepare: (record) => {
          if (record.index === 3) executor.stop();
          return client.prepare(record);
        },
      },
      store,
      folder: at.exported,
    });
  });
  assert.deepEqual(readdirSync(at.exported), []);
  assert.deepEqual(readParts(at.output), []);
});
