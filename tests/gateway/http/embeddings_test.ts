/** Embeddings, which are passed on to endpoints that speak the client's format. */
import assert from "node:assert/strict";
import { LLMClientPool } from "../../../lib/client/pool.ts";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import { HttpGateway } from "../../support/http_gateway.ts";

const ANSWER = '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10]}],' +
  '"model":"real","usage":{"prompt_tokens":1000000,"total_tokens":1000000}}';
const PRICE = { model: "real", input: 2, output: 0 };

function provider() {
  return new Response(ANSWER, { headers: { "content-type": "application/json" } });
}

Deno.test("passes embeddings on under the endpoint's name of the model", async () => {
  await using gateway = new HttpGateway({ routes: { embed: ["real"] } }, provider, [
    { model: "real" },
  ]);
  const body = '{"model":"embed","input":["a","b"],"encoding_format":"float"}';
  const response = await gateway.send("/v1/embeddings", { body });
  assert.equal(await response.text(), ANSWER);
  assert.equal(response.headers.get("x-flexllm-model"), "real");
  const [{ url, text }] = gateway.sent;
  assert.equal(url, "https://llm.example/v1/embeddings");
  assert.equal(text, body.replace("embed", "real"));
  const [facts] = gateway.facts;
  assert.deepEqual([facts.operation, facts.usage?.promptTokens], ["embeddings", 1_000_000]);
});

Deno.test("answers with embeddings have the headers of other answers", async () => {
  let calls = 0;
  const headers = { "content-type": "application/json", "x-request-id": "req_up" };
  await using gateway = new HttpGateway(
    { routes: { embed: ["first", "second"] } },
    () => ++calls === 2 ? new Response(ANSWER, { headers }) : new Response("down", { status: 503 }),
    ["first", "second"].map((name) => ({ name, model: "real", prices: [PRICE] })),
    { retryTimes: 1, retryDelay: 0 },
  );
  const request = { body: { model: "embed", input: "a" } };
  const answer = await gateway.send("/v1/embeddings", request);
  const own = (name: string) => answer.headers.get(`x-flexllm-${name}`);
  assert.equal(answer.status, 200);
  assert.deepEqual([own("route"), own("endpoint"), own("attempts"), own("cost")], [
    "embed",
    "second",
    "2",
    "2",
  ]);
  assert.match(own("overhead-ms") ?? "", /^\d+\.\d\d$/);
  assert.match(own("call-id") ?? "", /^[a-z0-9]{10,}$/);
  assert.equal(answer.headers.get("x-request-id"), "req_up");
  const [{ overhead, duration }] = gateway.facts;
  assert.ok(overhead > 0 && overhead <= duration);

  const failed = await gateway.send("/v1/embeddings", request);
  assert.equal(failed.status, 503);
  assert.equal(failed.headers.get("x-flexllm-route"), "embed");
  assert.equal(failed.headers.get("x-flexllm-attempts"), "4");
});

Deno.test("passes Gemini's embeddings on, alone and in batches", async () => {
  await using gateway = new HttpGateway(
    { routes: { embed: ["real"] } },
    () => Response.json({ embeddings: [] }),
    [{ model: "real", baseUrl: "https://generativelanguage.googleapis.com/v1beta" }],
  );
  const request = { model: "models/embed", content: { parts: [{ text: "Hi" }] } };
  const path = "/v1beta/models/embed";
  await gateway.send(`${path}:embedContent`, { body: request });
  await gateway.send(`${path}:batchEmbedContents`, { body: { requests: [request] } });
  const renamed = { ...request, model: "models/real" };
  assert.deepEqual(gateway.sent.map(({ url, body }) => [new URL(url).pathname, body]), [
    ["/v1beta/models/real:embedContent", renamed],
    ["/v1beta/models/real:batchEmbedContents", { requests: [renamed] }],
  ]);
});

Deno.test("uses only endpoints that have embeddings, and says so if there is none", async () => {
  await using gateway = new HttpGateway(
    { routes: { mixed: ["claude", "real"] } },
    provider,
    [{ model: "claude", baseUrl: "https://api.anthropic.com" }, { model: "real" }],
  );
  const mixed = await gateway.send("/v1/embeddings", { body: { model: "mixed", input: "a" } });
  assert.equal(mixed.status, 200);
  const { status, error } = await gateway.error("/v1/embeddings", {
    body: { model: "claude", input: "a" },
  });
  assert.deepEqual([status, error.code], [400, "unsupported_operation"]);
});

Deno.test("holds embeddings to the limits and the budget of the key", async () => {
  const access = await openAccess({});
  const { secret } = await access.keys.create("alice", { budget: { total: 3 } });
  await using gateway = new HttpGateway({ access }, provider, [{
    model: "real",
    prices: [PRICE],
  }]);
  const headers = { authorization: `Bearer ${secret}` };
  const body = { model: "real", input: "a".repeat(1000) };
  const first = await gateway.send("/v1/embeddings", { headers, body });
  assert.equal(first.status, 200, await first.text());
  assert.equal(first.headers.get("x-flexllm-cost"), "2");
  assert.equal(first.headers.get("x-flexllm-key-spend"), "2");
  await gateway.send("/v1/embeddings", { headers, body });
  const { status, error } = await gateway.error("/v1/embeddings", { headers, body });
  assert.equal(status, 402, JSON.stringify(error));
  assert.equal(gateway.sent.length, 2);
});

Deno.test("reports the errors of the provider, and moves to another endpoint", async () => {
  const failing = () => new Response("down", { status: 500 });
  await using down = new HttpGateway({}, failing);
  const body = { model: "model", input: "a" };
  assert.equal((await down.error("/v1/embeddings", { body })).status, 500);
  let calls = 0;
  await using gateway = new HttpGateway(
    { routes: { model: ["a", "b"] } },
    () => ++calls === 1 ? failing() : provider(),
    [{ name: "a", model: "real" }, { name: "b", model: "real" }],
    { retryTimes: 1, retryDelay: 0 },
  );
  assert.equal((await gateway.send("/v1/embeddings", { body })).status, 200);
  assert.equal(calls, 2);
});

Deno.test("embeddings wait in the queue for a bounded time, and a full queue refuses them", async () => {
  const arrived = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  await using gateway = new HttpGateway(
    { maxQueue: 1 },
    async () => {
      arrived.resolve();
      await answered.promise;
      return provider();
    },
    [{ model: "real", concurrencyLimit: 1 }],
    { maxWait: 0.1 },
  );
  const body = { model: "real", input: "a" };
  const first = gateway.send("/v1/embeddings", { body });
  await arrived.promise;
  // As a server's socket does; the timers of deadlines do not keep a process alive.
  const socket = setInterval(() => {}, 1000);
  const [late, full] = await Promise.all([
    gateway.error("/v1/embeddings", { body }),
    gateway.error("/v1/embeddings", { body }),
  ]);
  assert.deepEqual([late.status, late.error.code], [429, "queue_timeout"]);
  assert.deepEqual([full.status, full.error.code], [429, "queue_full"]);
  clearInterval(socket);
  answered.resolve();
  assert.equal((await first).status, 200);
  assert.equal(gateway.app.inFlight, 0);
});

Deno.test("embeddings in flight end with the gateway, not as if their client had left", async () => {
  const arrived = Promise.withResolvers<void>();
  const gateway = new HttpGateway({}, () => {
    arrived.resolve();
    return new Promise(() => {});
  }, [{ model: "real" }]);
  const answer = gateway.error("/v1/embeddings", { body: { model: "real", input: "a" } });
  await arrived.promise;
  await gateway.app.close();
  const { status, error } = await answer;
  assert.deepEqual([status, error.code], [503, "stopping"]);
});

Deno.test("attempts at embeddings that a provider may bill count as spent", async () => {
  const access = await openAccess({});
  const { secret } = await access.keys.create("alice", { budget: { total: 100 } });
  let calls = 0;
  await using gateway = new HttpGateway(
    { access },
    () => ++calls === 1 ? new Response("no JSON") : provider(),
    [{ model: "real", prices: [PRICE] }],
    { retryTimes: 1, retryDelay: 0 },
  );
  const headers = { authorization: `Bearer ${secret}` };
  const body = { model: "real", input: "a".repeat(1000) };
  const response = await gateway.send("/v1/embeddings", { headers, body });
  assert.equal(response.status, 200, await response.text());
  assert(Number(response.headers.get("x-flexllm-key-spend")) > 2);
  assert.equal(gateway.facts[0].attempts, 2);
});

Deno.test("bills embeddings that were lost on the way, and reserves again before the next attempt", async () => {
  const access = await openAccess({});
  const { secret } = await access.keys.create("alice", { budget: { total: 0.005 } });
  await using gateway = new HttpGateway(
    { access },
    () => Promise.reject(new TypeError("connection reset by peer")),
    [{ model: "real", prices: [PRICE] }],
    { retryTimes: 50, retryDelay: 0 },
  );
  const headers = { authorization: `Bearer ${secret}` };
  const body = { model: "real", input: "word ".repeat(1000) };
  const { status } = await gateway.error("/v1/embeddings", { headers, body });
  assert.equal(status, 402);
  const [spending] = await access.keys.spending();
  assert.ok(spending.cost > 0.002 && spending.cost <= 0.005, `${spending.cost}`);
  assert.ok(gateway.sent.length < 4);
  assert.equal(access.report()[0].inFlight, 0);
});

Deno.test("sends embeddings to the new endpoints if the configuration is reloaded meanwhile", async () => {
  const access = await openAccess({ allowAnonymous: true });
  await using gateway = new HttpGateway({ access }, provider, [{ model: "real" }]);
  const admit = access.admit.bind(access);
  access.admit = (...demand) => {
    const fetch = () => Promise.resolve(provider());
    const endpoints = [{ baseUrl: "https://new.example/v1", model: "real", fetch }];
    gateway.app.reload(new LLMClientPool({ endpoints }), { access });
    return admit(...demand);
  };
  const response = await gateway.send("/v1/embeddings", { body: { model: "real", input: "a" } });
  assert.equal(response.status, 200, await response.text());
  assert.equal(gateway.sent.length, 0);
  await gateway.app.drain();
});
