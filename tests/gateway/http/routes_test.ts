/** The gateway's closed route table: what it answers, and what it refuses. */
import assert from "node:assert/strict";
import { asObject } from "../../../lib/json/json.ts";
import { HttpGateway } from "../../support/http_gateway.ts";

const HI = [{ role: "user", content: "Hi" }];

/** A request in each format, with its path after the prefix. */
const CALLS: readonly (readonly [prefixes: string[], path: string, body: object])[] = [
  [["", "/v1"], "/chat/completions", { model: "model", messages: HI }],
  [["", "/v1"], "/responses", { model: "model", input: "Hi" }],
  [["", "/v1"], "/messages", { model: "model", max_tokens: 9, messages: HI }],
  [["", "/v1"], "/messages/count_tokens", { model: "model", messages: HI }],
  [["", "/v1"], "/responses/input_tokens", { model: "model", input: "Hi" }],
  [["", "/v1", "/v1beta"], "/models/model:generateContent", {
    contents: [{ parts: [{ text: "Hi" }] }],
  }],
  [["", "/v1", "/v1beta"], "/models/model:countTokens", {
    contents: [{ parts: [{ text: "Hi" }] }],
  }],
  [["", "/v1"], "/embeddings", { model: "model", input: "Hi" }],
];

Deno.test("answers the paths of every format, with and without their prefixes", async () => {
  await using gateway = new HttpGateway();
  for (const [prefixes, path, body] of CALLS) {
    for (const prefix of prefixes) {
      const response = await gateway.send(`${prefix}${path}`, { body });
      assert.equal(response.status, 200, `${prefix}${path}: ${await response.text()}`);
      assert.match(response.headers.get("x-flexllm-call-id") ?? "", /^[a-z0-9]+$/);
    }
  }
});

Deno.test("tolerates queries, as of Claude Code and Gemini's clients", async () => {
  await using gateway = new HttpGateway();
  const body = { model: "model", max_tokens: 9, messages: HI };
  assert.equal((await gateway.send("/v1/messages?beta=true", { body })).status, 200);
  const stream = await gateway.send("/v1beta/models/model:streamGenerateContent?alt=sse", {
    body: { contents: [{ parts: [{ text: "Hi" }] }] },
  });
  assert.match(await stream.text(), /^data: /);
});

Deno.test("refuses every other path in the shape of the format that it looks like", async () => {
  await using gateway = new HttpGateway();
  const chat = await gateway.error("/v1/completions", { body: {} });
  assert.equal(chat.status, 404);
  assert.equal(chat.error.code, "unknown_url");
  const anthropic = await gateway.error("/v1/messages/batches", { body: {} });
  assert.equal(anthropic.error.type, "not_found_error");
  const gemini = await gateway.error("/v1beta/files", { body: {} });
  assert.equal(gemini.error.status, "NOT_FOUND");
  assert.equal(gateway.sent.length, 0);
});

Deno.test("resolves no spelling of a path that the table does not list", async () => {
  await using gateway = new HttpGateway({ adminKey: "admin" });
  const paths = [
    "//v1/chat/completions",
    "/v1//chat/completions",
    "/v1/chat/completions/",
    "/V1/chat/completions",
    "/v1/%63hat/completions",
    "/v1/chat%2fcompletions",
    "/v1/./chat/completions%00",
    "/v1/chat/completions;x",
    "/v1/chat/completions.json",
    "/status/",
    "//status",
    "/%73tatus",
    "/metrics%20",
    "/health",
    "/v1/models/",
    "/v1beta/models/model:deleteEverything/",
    "/__mock/requests",
    "/admin",
    "/key/generate",
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST"]) {
      const body = method === "POST" ? { model: "model", messages: HI } : undefined;
      const { status } = await gateway.send(path, { method, body });
      assert(status === 404 || status === 405, `${method} ${path}: ${status}`);
    }
  }
  assert.equal(gateway.sent.length, 0);
});

Deno.test("suggests the path that was probably meant", async () => {
  await using gateway = new HttpGateway();
  for (
    const path of ["/v1/chat/completions/", "//v1/chat/completions", "/v1/v1/chat/completions"]
  ) {
    const { error } = await gateway.error(path, { body: {} });
    assert.match(String(error.message), /Did you mean \/v1\/chat\/completions\?/);
  }
});

Deno.test("says which methods a path allows", async () => {
  await using gateway = new HttpGateway();
  for (
    const [path, method, allow] of [
      ["/v1/chat/completions", "GET", "POST"],
      ["/v1/messages", "DELETE", "POST"],
      ["/v1/models", "POST", "GET, HEAD"],
      ["/v1beta/models/model:generateContent", "PUT", "POST"],
      ["/health/ready", "POST", "GET, HEAD"],
      ["/status", "POST", "GET, HEAD"],
      ["/v1/messages", "OPTIONS", "POST"],
    ]
  ) {
    const response = await gateway.send(path, { method });
    assert.equal(response.status, 405, `${method} ${path}`);
    assert.equal(response.headers.get("allow"), allow);
    assert.match(await response.text(), /is not allowed on/);
  }
});

Deno.test("answers HEAD / and the health checks without calling a model", async () => {
  await using gateway = new HttpGateway({ adminKey: "admin" });
  assert.equal((await gateway.send("/", { method: "HEAD", from: "192.0.2.1" })).status, 200);
  for (const kind of ["live", "ready"]) {
    const response = await gateway.send(`/health/${kind}`, { from: "192.0.2.1" });
    assert.deepEqual([response.status, await response.json()], [200, { status: "ok" }]);
  }
  assert.equal((await gateway.send("/v1/models")).headers.get("connection"), null);
  const draining = gateway.app.drain();
  for (const path of ["/health/live", "/v1/models"]) {
    const response = await gateway.send(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("connection"), "close");
  }
  const ready = await gateway.send("/health/ready");
  assert.deepEqual([ready.status, await ready.json()], [503, { status: "draining" }]);
  const { status, error } = await gateway.error("/v1/chat/completions", {
    body: { model: "model", messages: HI },
  });
  assert.deepEqual([status, error.code], [503, "draining"]);
  await draining;
  assert.equal(gateway.sent.length, 0);
});

Deno.test("is not ready while no endpoint is up", async () => {
  await using gateway = new HttpGateway({}, () => new Response("down", { status: 500 }), [{}], {
    failureThreshold: 1,
  });
  await (await gateway.chat()).text();
  const ready = await gateway.send("/health/ready");
  assert.deepEqual([ready.status, ready.headers.get("retry-after")], [503, "5"]);
});

Deno.test("reports the facts of each request once, refused ones included", async () => {
  await using gateway = new HttpGateway();
  await (await gateway.chat()).text();
  await gateway.send("/v1/models");
  await gateway.send("/nothing?key=secret");
  await gateway.send("/v1/messages", { body: { model: "unknown" } });
  assert.deepEqual(
    gateway.facts.map((
      { operation, path, status, requestedModel },
    ) => [operation, path, status, requestedModel]),
    [
      ["chat", "/v1/chat/completions", 200, "model"],
      ["models", "/v1/models", 200, undefined],
      ["unknown", "/nothing", 404, undefined],
      ["chat", "/v1/messages", 404, "unknown"],
    ],
  );
  assert(!JSON.stringify(gateway.facts).includes("secret"));
  assert(gateway.facts.every((facts) => asObject(facts)!.id !== ""));
});
