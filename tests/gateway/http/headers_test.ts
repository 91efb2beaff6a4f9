/** The headers of answers. */
import assert from "node:assert/strict";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import { responseHeaders } from "../../../lib/gateway/http/response_headers.ts";
import { chatServer } from "../../../lib/protocols/openai_chat/serve.ts";
import { completion, HttpGateway } from "../../support/http_gateway.ts";

const MESSAGES = [{ role: "user", content: "Hi" }];

Deno.test("names the call, its route, endpoint and model, and what the gateway did", async () => {
  const failing = () => new Response("down", { status: 503 });
  let calls = 0;
  await using gateway = new HttpGateway(
    { routes: { alias: ["first", "second"] } },
    () => ++calls === 1 ? failing() : Response.json(completion()),
    [{ name: "first", model: "m1" }, {
      name: "second",
      model: "m2",
      baseUrl: "https://b.example/v1",
    }],
    { retryTimes: 1, retryDelay: 0 },
  );
  const { headers } = await gateway.chat({ model: "alias" });
  const own = Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith("x-flexllm-"))
      .map(([name, value]) => [name.slice("x-flexllm-".length), value]),
  );
  assert.match(own["call-id"], /^[a-z0-9]{10,}$/);
  assert.equal(headers.get("x-request-id"), own["call-id"]);
  assert.match(own["overhead-ms"], /^\d+\.\d\d$/);
  assert.deepEqual(
    [own.route, own.endpoint, own.model, own.attempts, own.fallbacks],
    ["alias", "second", "m2", "2", "1"],
  );
});

Deno.test("reports the key's limits and spending in the spelling of the client's format", async () => {
  const access = await openAccess({});
  const { secret } = await access.keys.create("alice", { rpm: 10, tpm: 100_000 });
  await using gateway = new HttpGateway({ access });
  const headers = { authorization: `Bearer ${secret}` };
  const chat = await gateway.chat({}, headers);
  assert.equal(chat.headers.get("x-ratelimit-limit-requests"), "10");
  assert.equal(chat.headers.get("x-ratelimit-remaining-requests"), "9");
  assert.match(chat.headers.get("x-ratelimit-reset-requests") ?? "", /^\d+ms$/);
  assert.equal(chat.headers.get("x-ratelimit-limit-tokens"), "100000");
  assert.match(chat.headers.get("x-flexllm-key-spend") ?? "", /^\d+(\.\d+)?$/);
  const body = { model: "model", max_tokens: 9, messages: MESSAGES };
  const anthropic = await gateway.send("/v1/messages", { headers, body });
  assert.equal(anthropic.headers.get("anthropic-ratelimit-requests-limit"), "10");
  assert.equal(anthropic.headers.get("anthropic-ratelimit-requests-remaining"), "8");
  assert.match(anthropic.headers.get("anthropic-ratelimit-tokens-reset") ?? "", /^\d{4}-.*Z$/);
  assert.equal(anthropic.headers.get("request-id"), anthropic.headers.get("x-flexllm-call-id"));
});

Deno.test("a call that a rate refuses gets the state of the rates, plain or as a stream", async () => {
  const access = await openAccess({});
  const { secret } = await access.keys.create("alice", { rpm: 1, tpm: 100_000 });
  await using gateway = new HttpGateway({ access });
  const headers = { authorization: `Bearer ${secret}` };
  await gateway.chat({}, headers);
  for (const stream of [false, true]) {
    const refused = await gateway.chat({ stream }, headers);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("x-ratelimit-limit-requests"), "1");
    assert.equal(refused.headers.get("x-ratelimit-remaining-requests"), "0");
    assert.equal(refused.headers.get("x-ratelimit-limit-tokens"), "100000");
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    await refused.body?.cancel();
  }
});

Deno.test("passes the provider's request id on, of streams and errors too", async () => {
  const message = { type: "message", role: "assistant", model: "m", content: [], usage: null };
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const stream = event("message_start", { message }) +
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) +
    event("content_block_delta", { index: 0, delta: { type: "text_delta", text: "Hi" } }) +
    event("content_block_stop", { index: 0 }) +
    event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }) +
    event("message_stop", {});
  const error = '{"type":"error","error":{"type":"invalid_request_error","message":"no"}}';
  let calls = 0;
  const provider = ({ body }: { body: Record<string, unknown> }) => {
    const headers = { "request-id": `req_${++calls}`, "anthropic-organization-id": "org" };
    const type = { "content-type": body.stream ? "text/event-stream" : "application/json" };
    if (body.stream && calls === 1) return new Response("down", { status: 503, headers });
    return new Response(body.stream ? stream : error, {
      status: body.stream ? 200 : 400,
      headers: { ...headers, ...type },
    });
  };
  await using gateway = new HttpGateway(
    { routes: { alias: ["a", "b"] } },
    provider,
    ["a", "b"].map((name) => ({ name, provider: "claude", baseUrl: undefined })),
    { retryTimes: 1, retryDelay: 0 },
  );
  const body = { model: "alias", max_tokens: 9, messages: MESSAGES };
  const streamed = await gateway.send("/v1/messages", { body: { ...body, stream: true } });
  assert.equal(await streamed.text(), stream);
  assert.equal(streamed.headers.get("x-flexllm-attempts"), "2");
  assert.equal(streamed.headers.get("request-id"), "req_2");
  assert.equal(streamed.headers.get("anthropic-organization-id"), null);
  const refused = await gateway.send("/v1/messages", { body });
  assert.equal(refused.status, 400);
  assert.equal(refused.headers.get("request-id"), "req_3");
});

Deno.test("keeps proxies from holding streams back", async () => {
  const text = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n' +
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
  await using gateway = new HttpGateway(
    {},
    () =>
      new Response(text, { headers: { "content-type": "text/event-stream", "set-cookie": "a=1" } }),
  );
  const { headers, body } = await gateway.chat({ stream: true }, { "accept-encoding": "gzip, br" });
  assert.equal(headers.get("content-type"), "text/event-stream");
  assert.equal(headers.get("cache-control"), "no-cache, no-transform");
  assert.equal(headers.get("x-accel-buffering"), "no");
  assert.equal(headers.get("content-encoding"), null);
  assert.equal(headers.get("set-cookie"), null);
  assert.equal(await new Response(body).text(), text);
});

Deno.test("writes names and amounts that HTTP can carry", () => {
  const headers = responseHeaders(chatServer, {
    id: "id1",
    route: "模型\r\nx-evil: 1",
    cost: 1.25e-7,
    admission: { limits: {}, spent: 12 },
    cache: "off",
    dropped: new Set(["a", "b"]),
  });
  new Headers(headers);
  assert.equal(headers["x-flexllm-route"], "%E6%A8%A1%E5%9E%8B%0D%0Ax-evil:%201");
  assert.equal(headers["x-flexllm-cost"], "0.000000125");
  assert.equal(headers["x-flexllm-key-spend"], "12");
  assert.equal(headers["x-flexllm-cache"], undefined);
  assert.equal(headers["x-flexllm-dropped"], "a, b");
});
