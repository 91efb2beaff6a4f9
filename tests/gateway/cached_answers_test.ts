import assert from "node:assert/strict";
import { isCacheable } from "../../lib/gateway/cached_answers.ts";
import type { GatewayOptions } from "../../lib/gateway/gateway_options.ts";
import { deadlinesOf } from "../../lib/transport/deadlines.ts";
import { CountingAccess } from "../support/counting_access.ts";
import { gatewayOf, HELLO, type TestGateway, textOf } from "../support/gateway.ts";
import { answer, type ModelServer, startModelServer } from "../support/model_server.ts";

function cachingGateway(server: ModelServer, options: GatewayOptions = {}): TestGateway {
  return gatewayOf({
    cache: { store: "memory" },
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl, concurrencyLimit: 50 }],
  }, options);
}

const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

Deno.test("A repeated request is answered from the cache, plain and streamed, at no cost", async () => {
  await using server = await startModelServer();
  const access = new CountingAccess();
  await using gateway = cachingGateway(server, { access });
  const first = await gateway.chat("a", {}, as("k"));
  assert.equal(first.headers.get("x-flexllm-cache"), "miss");
  assert.equal(await textOf(first), "Hi");
  for (const rest of [{}, { stream: true }, { user: "someone" }]) {
    const again = await gateway.chat("a", rest, as("k"));
    assert.equal(again.headers.get("x-flexllm-cache"), "hit");
    assert.equal(await textOf(again), "Hi");
  }
  assert.equal(server.requests.length, 1);
  assert.equal(access.demands.length, 1, "hits reserve nothing");
  assert.equal(access.charges.length, 1);
  assert.deepEqual(gateway.facts.map(({ cache }) => cache), ["miss", "hit", "hit", "hit"]);
  assert.equal(gateway.facts[1].attempts, 0);
  assert.equal(gateway.facts[1].cost, 0);
});

Deno.test("The timeout that a client announces is forgotten once its call has ended", async () => {
  await using server = await startModelServer();
  await using gateway = cachingGateway(server);
  // A timeout that no other test uses.
  const headers = { "x-stainless-timeout": "613" };
  for (const cache of ["miss", "hit"]) {
    for (const rest of [{}, { stream: true }]) {
      const response = await gateway.chat("a", { seed: 1, ...rest }, { headers });
      await response.text();
      if (cache === "hit") assert.equal(response.headers.get("x-flexllm-cache"), "hit");
      assert.equal(deadlinesOf(613).size, 0);
    }
  }
});

Deno.test("A streamed answer is stored when it is complete", async () => {
  await using server = await startModelServer();
  await using gateway = cachingGateway(server);
  await (await gateway.chat("a", { stream: true })).text();
  const again = await gateway.chat("a");
  assert.equal(again.headers.get("x-flexllm-cache"), "hit");
  assert.equal(await textOf(again), "Hi");
});

Deno.test("Keys have caches of their own, unless the cache is shared", async () => {
  for (const cacheScope of ["key", "shared"] as const) {
    await using server = await startModelServer();
    await using gateway = cachingGateway(server, { access: new CountingAccess(), cacheScope });
    await gateway.chat("a", {}, as("one"));
    const other = await gateway.chat("a", {}, as("two"));
    assert.equal(other.headers.get("x-flexllm-cache"), cacheScope === "key" ? "miss" : "hit");
  }
});

Deno.test("Identical concurrent calls are sent once, and one that leaves does not end the others", async () => {
  let isFirst = true;
  await using server = await startModelServer((request) => {
    if (!isFirst) answer(request, "Hi");
    isFirst = false;
  });
  await using gateway = cachingGateway(server);
  const leave = new AbortController();
  const leader = gateway.chat("a", {}, { signal: leave.signal });
  await server.untilOpen(1);
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const followers = [1, 2, 3].map(() => gateway.chat("a"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(server.requests.length, 1);
  leave.abort();
  assert.equal((await leader).status, 499);
  const texts = await Promise.all(followers.map(async (follower) => textOf(await follower)));
  assert.deepEqual(texts, ["Hi", "Hi", "Hi"]);
  assert.equal(server.requests.length, 2);
});

Deno.test("The refusal of one key does not reach another one that waits for the same answer", async () => {
  await using server = await startModelServer();
  const access = new CountingAccess();
  access.delay = () => 20;
  access.broke.add("poor");
  await using gateway = cachingGateway(server, { access, cacheScope: "shared" });
  const [poor, rich] = await Promise.all([
    gateway.chat("a", {}, as("poor")),
    gateway.chat("a", {}, as("rich")),
  ]);
  assert.equal(poor.status, 402);
  assert.equal(rich.status, 200);
});

Deno.test("Claude Code's attribution line does not change the key", async () => {
  await using server = await startModelServer();
  await using gateway = cachingGateway(server);
  const send = (version: string) =>
    gateway.send("/v1/messages", {
      model: "a",
      max_tokens: 9,
      system: [
        { type: "text", text: `x-anthropic-billing-header: cc_version=${version};` },
        { type: "text", text: "You are an agent." },
      ],
      messages: HELLO,
    });
  await send("1");
  assert.equal((await send("2")).headers.get("x-flexllm-cache"), "hit");
});

Deno.test("Requests that differ only in a large number are different", async () => {
  await using server = await startModelServer();
  await using gateway = cachingGateway(server);
  const send = (seed: string) =>
    gateway.app.fetch(
      new Request("http://localhost/v1/chat/completions", {
        method: "POST",
        body: `{"model":"a","seed":${seed},"messages":[{"role":"user","content":"Hi"}]}`,
      }),
    );
  await send("1669700650467246081");
  assert.equal((await send("1669700650467246080")).headers.get("x-flexllm-cache"), "miss");
  assert.equal((await send("1669700650467246081")).headers.get("x-flexllm-cache"), "hit");
});

Deno.test("Only answers that depend on nothing else can be stored", () => {
  const cases: [object, boolean][] = [
    [{}, true],
    [{ store: false, n: 1, background: null }, true],
    [
      { tools: [{ type: "function", function: { name: "f" } }, { type: "custom", name: "c" }] },
      true,
    ],
    [{ tools: [{ name: "f", input_schema: {} }, { type: "bash_20250124", name: "bash" }] }, true],
    [{ tools: [{ functionDeclarations: [] }] }, true],
    [{ store: true }, false],
    [{ n: 2 }, false],
    [{ generationConfig: { candidateCount: 2 } }, false],
    [{ previous_response_id: "resp_1" }, false],
    [{ conversation: "conv_1" }, false],
    [{ background: true }, false],
    [{ tools: [{ type: "web_search" }] }, false],
    [{ tools: [{ type: "web_search_20250305", name: "web_search" }] }, false],
    [{ tools: [{ googleSearch: {} }] }, false],
  ];
  for (const [body, expected] of cases) {
    assert.equal(isCacheable(body as Record<string, unknown>), expected, JSON.stringify(body));
  }
});
