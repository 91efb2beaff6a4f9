import assert from "node:assert/strict";
import { LLMClientPool } from "../../lib/client/pool.ts";
import { createGatewayApp } from "../../lib/gateway/gateway_app.ts";
import { gatewayOf, HELLO, textOf } from "../support/gateway.ts";
import {
  answer,
  chunk,
  type ModelRequest,
  startModelServer,
  startStream,
  STREAM_END,
} from "../support/model_server.ts";

const STREAM = { stream: true };

/** A server that starts each stream, and finishes it on demand. */
async function startHeldServer() {
  const held: ModelRequest[] = [];
  const server = await startModelServer((request) => {
    startStream(request.response);
    request.response.write(chunk({ content: "first " }));
    held.push(request);
  });
  const finish = () => {
    for (const { response } of held.splice(0)) {
      response.write(chunk({ content: "last" }));
      response.end(STREAM_END);
    }
  };
  return { server, finish };
}

Deno.test("A gateway that drains refuses new calls and finishes those in flight", async () => {
  const { server, finish } = await startHeldServer();
  await using _ = server;
  await using gateway = gatewayOf({
    endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }],
  });
  const { app } = gateway;
  const ready = async () => (await app.fetch(new Request("http://localhost/health/ready"))).status;
  const live = async () => (await app.fetch(new Request("http://localhost/health/live"))).status;
  assert.equal(await ready(), 200);
  const response = await gateway.chat("a", STREAM);
  let isDrained = false;
  const drained = app.drain().then(() => isDrained = true);
  assert.equal(app.isDraining, true);
  assert.equal(await ready(), 503);
  assert.equal(await live(), 200);
  const refused = await gateway.chat("a");
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal(isDrained, false);
  assert.equal(app.inFlight, 1);
  finish();
  assert.equal(await textOf(response), "first last");
  await drained;
  assert.equal(app.inFlight, 0);
});

Deno.test("A gateway that is closed ends its streams with an error event", async () => {
  const { server } = await startHeldServer();
  await using _ = server;
  const gateway = gatewayOf({ endpoints: [{ name: "a", model: "m", baseUrl: server.baseUrl }] });
  const paths: [string, object][] = [
    ["/v1/chat/completions", { messages: HELLO }],
    ["/v1/messages", { max_tokens: 9, messages: HELLO }],
    ["/v1/responses", { input: "Hello!" }],
  ];
  const responses = await Promise.all(
    paths.map(([path, body]) => gateway.send(path, { model: "a", ...STREAM, ...body })),
  );
  const texts = responses.map((response) => response.text());
  await gateway.app.close();
  for (const text of await Promise.all(texts)) {
    assert.match(text, /first/);
    assert.match(text, /the gateway is stopping/);
    assert.doesNotMatch(text, /\[DONE\]|message_stop|response\.completed/);
  }
  await server.untilOpen(0);
  assert.equal(gateway.facts.length, 3);
  assert.deepEqual(gateway.facts.map(({ outcome }) => outcome), ["error", "error", "error"]);
});

Deno.test("A reload changes routes for new calls; streams and the old pool continue until they end", async () => {
  const { server: old, finish } = await startHeldServer();
  await using _old = old;
  await using fresh = await startModelServer((request) => answer(request, "new"));
  const first = new LLMClientPool({ endpoints: [{ name: "a", model: "m", baseUrl: old.baseUrl }] });
  await using app = createGatewayApp(first);
  const send = (model: string, rest: object = {}) =>
    app.fetch(
      new Request("http://localhost/v1/chat/completions", {
        method: "POST",
        body: JSON.stringify({ model, messages: HELLO, ...rest }),
      }),
    );
  const streaming = await send("a", STREAM);
  const next = new LLMClientPool({
    endpoints: [{ name: "b", model: "m", baseUrl: fresh.baseUrl }],
  });
  app.reload(next, { routes: { c: ["b"] } });
  assert.equal(await textOf(await send("c")), "new");
  assert.equal((await send("a")).status, 404);
  // The old pool is still open for its stream.
  assert.equal(old.open, 1);
  finish();
  assert.equal(await textOf(streaming), "first last");
  await assert.rejects(first.chatCompletions([{ role: "user", content: "Hi" }]), {
    code: "aborted",
    message: /closed/,
  });

  const invalid = new LLMClientPool({ endpoints: [{ name: "b", provider: "mock" }] });
  assert.throws(() => app.reload(invalid, { routes: { c: ["bb"] } }), { code: "configuration" });
  assert.equal(await textOf(await send("c")), "new");
});

Deno.test("A reload keeps the counts of the endpoints that stay, and of their calls in flight", async () => {
  const { server, finish } = await startHeldServer();
  await using _server = server;
  const pool = (...names: string[]) =>
    new LLMClientPool({
      endpoints: names.map((name) => ({ name, model: "m", baseUrl: server.baseUrl })),
    });
  const options = { adminKey: "admin" };
  await using app = createGatewayApp(pool("a", "b"), options);
  const streaming = await app.fetch(
    new Request("http://localhost/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify({ model: "a", messages: HELLO, ...STREAM }),
    }),
  );
  const answers = async () => {
    const status = await (await app.request("/status", {
      headers: { authorization: "Bearer admin" },
    })).json();
    return status.endpoints.map((each: { name: string; answers: number }) => [
      each.name,
      each.answers,
    ]);
  };
  app.reload(pool("c", "a"), options);
  finish();
  await streaming.text();
  assert.deepEqual(await answers(), [["c", 0], ["a", 1]]);
  app.reload(pool("a"), options);
  assert.deepEqual(await answers(), [["a", 1]]);
});

Deno.test("A gateway can be mounted in an app", async () => {
  const { Hono } = await import("hono");
  await using gateway = gatewayOf({ endpoints: [{ name: "a", provider: "mock", model: "mock" }] });
  const outer = new Hono().mount("/llm", gateway.app.fetch);
  const response = await outer.fetch(
    new Request("http://localhost/llm/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify({ model: "a", messages: HELLO }),
    }),
  );
  assert.equal(response.status, 200);
});

Deno.test("Observers get the facts of each request until they stop", async () => {
  await using gateway = gatewayOf({ endpoints: [{ name: "a", provider: "mock", model: "mock" }] });
  const seen: string[] = [];
  const stop = gateway.app.observe(({ id }) => seen.push(id));
  const response = await gateway.chat("a");
  stop();
  await gateway.chat("a");
  assert.deepEqual(seen, [response.headers.get("x-flexllm-call-id")]);
  assert.equal(gateway.facts.length, 2);
});
