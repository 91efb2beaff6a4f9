/** Options of individual records of a batch, through the library. */
import assert from "node:assert/strict";
import { type BatchRecord, LLMClient } from "../../mod.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

function record(content: string, options?: BatchRecord["options"]): BatchRecord {
  return { messages: [{ role: "user", content }], options };
}

Deno.test("a record's options override those of the batch for that record only", async () => {
  await using mock = await watchedMock();
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", concurrencyLimit: 1 });
  const inputs = [
    record("a", { model: "other", temperature: 0, stop: ["x"], extraBody: { k: 2 } }),
    record("b", { maxTokens: 7, temperature: undefined }),
    record("c"),
  ];
  const before = structuredClone(inputs);
  const options = { temperature: 1, extraBody: { k: 1, l: 1 } };
  const { results } = await client.chatCompletionsBatch(inputs, options);
  const sent = mock.requests.map(({ messages: _, ...rest }) => rest);
  assert.deepEqual(sent, [
    { model: "other", temperature: 0, stop: ["x"], k: 2, l: 1 },
    { model: "m", temperature: 1, max_tokens: 7, k: 1, l: 1 },
    { model: "m", temperature: 1, k: 1, l: 1 },
  ]);
  assert.deepEqual(inputs, before);
  assert.deepEqual(results.map(({ options }) => options?.model), ["other", undefined, undefined]);
});

Deno.test("extraBody of endpoint, batch and record are merged deeply; the record wins", async () => {
  await using mock = await watchedMock();
  await using client = new LLMClient({
    baseUrl: mock.baseUrl,
    model: "m",
    concurrencyLimit: 1,
    extraBody: { kwargs: { a: 1, b: 1, c: 1 } },
  });
  const options = { extraBody: { kwargs: { b: 2, c: 2 } } };
  await client.chatCompletionsBatch([record("a", { extraBody: { kwargs: { c: 3 } } })], options);
  assert.deepEqual(mock.requests[0].kwargs, { a: 1, b: 2, c: 3 });
});

Deno.test("a result contains the record's options, and changed options count as another input", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const output = folder.file("out.jsonl");
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m" });
  const inputs = (temperature: number | undefined) => [
    record("a", { temperature, maxTokens: 9, extraBody: { user: "u" } }),
    record("b", { topP: undefined }),
  ];
  await client.chatCompletionsBatch(inputs(0.5), { output });
  assert.deepEqual(jsonLines(folder.read("out.jsonl")).map(({ options }) => options), [
    { temperature: 0.5, max_tokens: 9, extra_body: { user: "u" } },
    undefined,
  ]);
  const again = await client.chatCompletionsBatch(inputs(0.5), { output });
  assert.equal(again.summary.restored, 2);
  for (const temperature of [0.6, undefined]) {
    await assert.rejects(client.chatCompletionsBatch(inputs(temperature), { output }), {
      code: "journal_mismatch",
      index: 0,
    });
  }
  assert.equal(mock.requests.length, 2);
  const redone = await client.chatCompletionsBatch(inputs(0.6), { output, rerunChanged: true });
  assert.deepEqual([redone.summary.succeeded, redone.summary.restored], [1, 1]);
  assert.equal(mock.requests[2].temperature, 0.6);
});

Deno.test("older results without options match records without options", async () => {
  using folder = temporaryFolder();
  const input = [{ role: "user", content: "a" }];
  const output = folder.write(
    "out.jsonl",
    `${JSON.stringify({ index: 0, output: "x", status: "success", input })}\n`,
  );
  await using mock = await watchedMock();
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m" });
  const { summary } = await client.chatCompletionsBatch([record("a", {})], { output });
  assert.equal(summary.restored, 1);
  await assert.rejects(client.chatCompletionsBatch([record("a", { seed: 1 })], { output }), {
    code: "journal_mismatch",
  });
});
