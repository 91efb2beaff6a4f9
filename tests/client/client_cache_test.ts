/** The response cache as a client, a pool and a batch use it. */
import assert from "node:assert/strict";
import { z } from "zod";
import {
  type CacheOptions,
  CostTracker,
  LLMClient,
  LLMClientPool,
  type Message,
  type ResponseFormat,
} from "../../mod.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello!" }];

function cacheIn(folder: { file(name: string): string }, options: CacheOptions = {}) {
  const onWarning = (message: string) => assert.fail(message);
  return { store: "sqlite" as const, path: folder.file("cache"), onWarning, ...options };
}

Deno.test("clients share cached answers, which are complete and free", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ responses: [{ text: "Hi!", thinking: "Be polite." }] });
  const prices = [{ model: "m", input: 1000, output: 1000 }];
  const send = async () => {
    const costTracker = new CostTracker();
    const options = { baseUrl: mock.baseUrl, model: "m", prices, costTracker };
    await using client = new LLMClient({ ...options, cache: cacheIn(folder) });
    const result = await client.chatCompletions(HELLO);
    return { result, spent: costTracker.spent };
  };
  const first = await send();
  const second = await send();
  assert.equal(mock.requests.length, 1);
  assert.deepEqual([first.result.cached, second.result.cached], [false, true]);
  assert.ok(first.spent > 0 && first.result.cost === first.spent);
  assert.deepEqual([second.result.cost, second.spent], [0, 0]);
  for (
    const name of ["content", "thinking", "usage", "finishReason", "model", "message"] as const
  ) {
    // As JSON, in which undefined and absent fields are the same.
    assert.equal(JSON.stringify(second.result[name]), JSON.stringify(first.result[name]), name);
  }
});

Deno.test("the key depends on everything that changes the answer, but not on API keys, headers or field order", async () => {
  await using mock = await watchedMock();
  using folder = temporaryFolder();
  const send = async (options: object, call: object = {}) => {
    const base = { baseUrl: mock.baseUrl, model: "m", cache: cacheIn(folder) };
    await using client = new LLMClient({ ...base, ...options });
    await client.chatCompletions(HELLO, call);
    return mock.requests.length;
  };
  assert.equal(await send({ apiKey: "first-key" }), 1);
  assert.equal(await send({ apiKey: "second-key", headers: { "x-trace": "7" } }), 1);
  assert.equal(await send({}, { temperature: 0.5 }), 2);
  assert.equal(await send({}, { extraBody: { b: 1, a: { d: 2, c: 3 } } }), 3);
  assert.equal(await send({}, { extraBody: { a: { c: 3, d: 2 }, b: 1 } }), 3);
  assert.equal(await send({ model: "other" }), 4);
  assert.equal(await send({ cache: cacheIn(folder, { namespace: "mine" }) }), 5);
  assert.equal(await send({ cache: false }), 6);
});

Deno.test("calls with a Standard Schema and with its JSON Schema share answers, parsed for each", async () => {
  await using mock = await watchedMock({ responses: [{ text: '{"n":2}' }], delay: 0.01 });
  const cache = { store: "memory" as const };
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", cache });
  const schema = z.object({ n: z.number().transform((n) => n * 10) });
  const standard = () => client.chatCompletions(HELLO, { responseFormat: schema });
  await standard();
  const { response_format } = mock.requests[0] as { response_format: ResponseFormat };
  const plain = () => client.chatCompletions(HELLO, { responseFormat: response_format });
  for (const [call, parsed] of [[plain, { n: 2 }], [standard, { n: 20 }]] as const) {
    const result = await call();
    assert.deepEqual([result.parsed, result.cached], [parsed, true]);
  }
  const stream = client.chatCompletionsStream(HELLO, { responseFormat: response_format });
  assert.deepEqual((await stream.finalResult()).parsed, { n: 2 });
  assert.equal(mock.requests.length, 1);
});

Deno.test("identical calls share a refusal although it has no parsed value", async () => {
  let requests = 0;
  const message = { role: "assistant", content: "I cannot" };
  const fetch = () => {
    requests++;
    return Promise.resolve(
      Response.json({ choices: [{ message, finish_reason: "content_filter" }] }),
    );
  };
  const cache = { store: "memory" as const };
  await using client = new LLMClient({ baseUrl: "http://host/v1", model: "m", cache, fetch });
  const responseFormat = z.object({ n: z.number() });
  const calls = [1, 2, 3].map(() => client.chatCompletions(HELLO, { responseFormat }));
  for (const { content } of await Promise.all(calls)) assert.equal(content, "I cannot");
  assert.equal(requests, 1);
});

Deno.test("streams read from the cache and write to it", async () => {
  await using mock = await watchedMock({ responses: [{ text: "one two three", thinking: "hm" }] });
  await using client = new LLMClient({
    baseUrl: mock.baseUrl,
    model: "m",
    cache: { store: "memory" },
  });
  const read = async () => {
    const stream = client.chatCompletionsStream(HELLO);
    let text = "";
    for await (const piece of stream) text += piece;
    return { text, result: await stream.finalResult() };
  };
  const first = await read();
  const second = await read();
  const plain = await client.chatCompletions(HELLO);
  assert.equal(mock.requests.length, 1);
  assert.deepEqual([first.text, second.text, plain.content], Array(3).fill("one two three"));
  assert.deepEqual([first.result.cached, second.result.cached, plain.cached], [false, true, true]);
  assert.equal(second.result.thinking, "hm");
});

Deno.test("a stream that is left early is not stored", async () => {
  await using mock = await watchedMock({ length: 400 });
  const cache = { store: "memory" as const };
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", cache });
  for await (const _ of client.chatCompletionsStream(HELLO)) break;
  assert.equal((await client.chatCompletions(HELLO)).cached, false);
});

Deno.test("a call can bypass the cache", async () => {
  await using mock = await watchedMock();
  const cache = { store: "memory" as const };
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", cache });
  await client.chatCompletions(HELLO);
  assert.equal((await client.chatCompletions(HELLO, { cache: false })).cached, false);
  assert.equal(
    (await client.chatCompletionsStream(HELLO, { cache: false }).finalResult()).cached,
    false,
  );
  assert.equal(mock.requests.length, 3);
});

Deno.test("identical concurrent requests are sent once", async () => {
  await using mock = await watchedMock({ delay: 0.05 });
  const cache = { store: "memory" as const };
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", cache });
  const all = await Promise.all(Array.from({ length: 20 }, () => client.chatCompletions(HELLO)));
  assert.equal(mock.requests.length, 1);
  assert.equal(all.filter(({ cached }) => cached).length, 19);
});

Deno.test("errors, truncated answers and schema mismatches are not cached", async () => {
  await using mock = await watchedMock({ responses: [{ text: '{"name":1}' }] });
  const cache = { store: "memory" as const };
  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "m", cache });
  const schema = { type: "object", properties: { name: { type: "string" } } };
  const responseFormat: ResponseFormat = {
    type: "json_schema",
    json_schema: { name: "person", schema },
  };
  for (let i = 1; i <= 2; i++) {
    await assert.rejects(client.chatCompletions(HELLO, { responseFormat }), {
      code: "schema_mismatch",
    });
    assert.equal(mock.requests.length, i);
  }
  const cut = await client.chatCompletions(HELLO, { maxTokens: 1 });
  assert.equal(cut.finishReason, "length");
  assert.equal((await client.chatCompletions(HELLO, { maxTokens: 1 })).cached, false);
});

Deno.test("a pool finds the cached answer of any endpoint", async () => {
  await using first = await watchedMock();
  await using second = await watchedMock();
  using folder = temporaryFolder();
  const inputs = Array.from({ length: 20 }, (_, i) => [{
    role: "user" as const,
    content: `Question ${i}`,
  }]);
  const run = async () => {
    await using pool = new LLMClientPool({
      endpoints: [first, second].map(({ baseUrl }) => ({ baseUrl, model: "m" })),
      cache: cacheIn(folder),
    });
    return (await pool.chatCompletionsBatch(inputs)).summary;
  };
  const filled = await run();
  assert.ok(first.requests.length > 3 && second.requests.length > 3);
  const found = await run();
  assert.equal(first.requests.length + second.requests.length, 20);
  assert.deepEqual([filled.cached, found.cached, found.succeeded], [0, 20, 20]);
  assert.deepEqual([found.cost, found.promptTokens, found.unpriced], [0, 0, 0]);
});

Deno.test("a broken cache causes one warning and no failures", async () => {
  await using mock = await watchedMock();
  const warnings: string[] = [];
  await using client = new LLMClient({
    baseUrl: mock.baseUrl,
    model: "m",
    cache: { store: "sqlite", path: "/dev/null/cache", onWarning: (text) => warnings.push(text) },
  });
  for (let i = 0; i < 3; i++) assert.equal((await client.chatCompletions(HELLO)).cached, false);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0],
    /the response cache is off: .*\/dev\/null\/cache.*continuing without it/,
  );
});

Deno.test("invalid cache options throw in the constructor", () => {
  const make = (cache: CacheOptions) => () =>
    new LLMClient({ provider: "mock", model: "m", cache });
  assert.throws(make({ ttl: -1 }), { code: "configuration" });
  assert.throws(make({ store: "redis" as "kv" }), { code: "configuration" });
});
