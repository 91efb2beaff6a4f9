/** Errors of providers and of the gateway itself, in the format of each client. */
import assert from "node:assert/strict";
import {
  AbortedError,
  ConnectionError,
  InternalError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
} from "../../../lib/errors.ts";
import { GatewayError } from "../../../lib/gateway/gateway_error.ts";
import { failedStreamText, serverError } from "../../../lib/gateway/http/error_response.ts";
import { loadFormats } from "../../../lib/protocols/servers.ts";
import { JSON_ARRAY } from "../../../lib/protocols/event_framing.ts";
import type { Json } from "../../../lib/json/json.ts";
import { HttpGateway, type Provider } from "../../support/http_gateway.ts";

const MESSAGES = [{ role: "user", content: "Hi" }];
const CONTENTS = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] };
const REQUESTS: Record<string, readonly [path: string, body: Json]> = {
  chat: ["/v1/chat/completions", { model: "model", messages: MESSAGES }],
  responses: ["/v1/responses", { model: "model", input: "Hi" }],
  claude: ["/v1/messages", { model: "model", max_tokens: 9, messages: MESSAGES }],
  gemini: ["/v1beta/models/model:generateContent", CONTENTS],
};

/** An error as OpenAI sends it. */
function openaiError(status: number, message: string, headers: HeadersInit = {}): Response {
  return Response.json({ error: { message, type: "x", code: "c", param: null } }, {
    status,
    headers,
  });
}

Deno.test("passes the status, the message and the wait of a provider on to every format", async () => {
  for (const [format, [path, body]] of Object.entries(REQUESTS)) {
    // A new one for each, since the endpoint rests after a 429.
    await using gateway = new HttpGateway(
      {},
      () => openaiError(429, "Slow down, sk-provider-secret.", { "retry-after": "7" }),
    );
    const response = await gateway.send(path, { body });
    const text = await response.text();
    assert.deepEqual([response.status, response.headers.get("retry-after")], [429, "7"], format);
    assert.match(text, /Slow down/);
    assert(!text.includes("sk-provider"), text);
    const { error } = JSON.parse(text);
    if (format === "claude") assert.equal(error.type, "rate_limit_error");
    if (format === "gemini") assert.equal(error.status, "RESOURCE_EXHAUSTED");
  }
});

Deno.test("does not report problems of the provider's key or account as the client's", async () => {
  for (
    const [status, message] of [
      [401, "Incorrect API key provided: sk-pr****cret."],
      [403, "Your key has no access."],
      [402, "Insufficient balance."],
    ] as const
  ) {
    await using gateway = new HttpGateway({}, () => openaiError(status, message));
    for (const [path, body] of Object.values(REQUESTS)) {
      const { status, error } = await gateway.error(path, { body });
      assert.equal(status, 502);
      assert.match(String(error.message), /operator of the gateway/);
      assert(!String(error.message).includes("sk-"), String(error.message));
    }
  }
});

Deno.test("keeps the errors of a provider that speaks the client's format as they are", async () => {
  const text = '{"error": {"message": "No.", "type": "t", "code": "c", "param": "p", "extra": 1}}';
  await using gateway = new HttpGateway({}, () => new Response(text, { status: 422 }));
  const response = await gateway.chat();
  assert.deepEqual([response.status, await response.text()], [422, text]);
  assert.equal(response.headers.get("x-flexllm-endpoint"), "model");
});

Deno.test("distinguishes unreachable, slow and broken providers", async () => {
  const refused = () => {
    throw new TypeError("error sending request: connection refused");
  };
  for (
    const [provider, status, code] of [
      [refused, 502, "upstream_unreachable"],
      [() => new Response("<html>", { headers: { "content-type": "text/html" } }), 502, undefined],
      [() => new Response("oops", { status: 500 }), 500, undefined],
      [() => new Response("busy", { status: 529 }), 529, undefined],
    ] as const
  ) {
    await using gateway = new HttpGateway({}, provider);
    const { status: got, error } = await gateway.error(...requestOf("responses"));
    assert.equal(got, status);
    if (code !== undefined) assert.equal(error.code, code);
  }
});

Deno.test("hides where the endpoints are: addresses and redirects", async () => {
  const failures: Provider[] = [
    () => Promise.reject(new TypeError("error sending request: connection refused")),
    () =>
      Promise.reject(new TypeError("tls went wrong at https://llm.example/v1/chat/completions")),
    () => Promise.reject(new TypeError("odd failure of https://llm.example/v1/chat/completions")),
    () => new Response(null, { status: 307, headers: { location: "https://llm.example/v2" } }),
    () => new Response(null, { status: 301, headers: { location: "https://llm.example/v2" } }),
  ];
  for (const provider of failures) {
    for (const stream of [false, true]) {
      await using gateway = new HttpGateway({}, provider);
      const response = await gateway.chat({ stream });
      const text = await response.text();
      assert.equal(response.status, 502, text);
      assert(!text.includes("llm.example"), text);
      assert.equal(response.headers.get("location"), null);
    }
  }
});

function requestOf(format: string): [path: string, request: { body: Json }] {
  const [path, body] = REQUESTS[format];
  return [path, { body }];
}

Deno.test("a provider that always answers 429 delays each call for a bounded time only", async () => {
  const limited = () =>
    Response.json({ error: { message: "slow down" } }, {
      status: 429,
      headers: { "retry-after": "1" },
    });
  await using gateway = new HttpGateway({}, limited, [{}], {
    maxWait: 1,
    retryTimes: 3,
    adaptive: true,
  });
  const answers = await Promise.all(Array.from({ length: 25 }, () => gateway.chat()));
  const ended = await Promise.all(answers.map(async (answer) => {
    assert.equal(answer.status, 429);
    assert.match(answer.headers.get("retry-after") ?? "", /^[15]$/);
    const attempts = Number(answer.headers.get("x-flexllm-attempts"));
    return { attempts, code: (await answer.json()).error.code };
  }));
  // Calls that wait for the endpoint again are bounded as those that wait for the first time.
  assert.ok(ended.some(({ attempts, code }) => attempts > 0 && code === "queue_timeout"));
});

Deno.test("calls to an endpoint that rests after a 429 get a 429 and the rest of the wait", async () => {
  let sent = 0;
  await using gateway = new HttpGateway({}, () => {
    sent++;
    return openaiError(429, "Slow down.", { "retry-after": "7200" });
  });
  for (const [format, [path, body]] of Object.entries(REQUESTS)) {
    if (sent === 0) await (await gateway.send(path, { body })).body?.cancel();
    const response = await gateway.send(path, { body });
    const text = await response.text();
    assert.deepEqual([response.status, sent], [429, 1], format);
    // An endpoint is tried again after at most an hour, whatever it asked for.
    const wait = Number(response.headers.get("retry-after"));
    assert.ok(wait > 3500 && wait <= 3600, String(wait));
    assert.match(text, /rate limit for this model is exceeded/);
  }
});

Deno.test("suggests the model that was probably meant", async () => {
  await using gateway = new HttpGateway();
  const { status, error } = await gateway.error("/v1/chat/completions", {
    body: { model: "modle", messages: MESSAGES },
  });
  assert.deepEqual([status, error.code, error.param], [404, "model_not_found", "model"]);
  assert.match(String(error.message), /Did you mean "model"\?/);
});

Deno.test("gives each kind of error its status", () => {
  const status = (error: unknown) => serverError(error).status;
  const limit = new RateLimitError("slow", { status: 429, retryAfter: 30 });
  assert.equal(status(new GatewayError(402, "empty", { reason: "budget_exceeded" })), 402);
  assert.equal(status(new ConnectionError("refused")), 502);
  assert.equal(status(new TimeoutError("no answer", 5)), 504);
  assert.equal(status(new AbortedError()), 499);
  const unavailable = (details: { cause: Error; retryAfter?: number }) => {
    const { status, retryAfter } = serverError(new UnavailableError("down", details));
    return [status, retryAfter];
  };
  assert.deepEqual(unavailable({ cause: limit, retryAfter: 12 }), [429, 12]);
  assert.deepEqual(unavailable({ cause: new ConnectionError("refused") }), [503, 5]);
  assert.equal(status(new InternalError(new Error("bug"))), 500);
  const secret = serverError(new Error("at https://user:password@host"));
  assert.deepEqual([secret.status, secret.message], [500, "internal error of the gateway"]);
});

Deno.test("ends streams with an event of their format that is no end of an answer", async () => {
  const error = new ConnectionError("the connection was closed");
  const texts: Record<string, string> = {};
  const context = { operation: "chat" } as const;
  for (const { protocol, server } of await loadFormats()) {
    texts[protocol.name] = failedStreamText({ server, id: "id1", context }, error);
  }
  const data = (text: string) => JSON.parse(/^data: (.*)$/m.exec(text)![1]);
  assert.match(texts.chat, /^data: \{"error":/);
  assert.equal(data(texts.chat).error.code, "upstream_unreachable");
  assert.match(texts.claude, /^event: error\ndata: /);
  assert.deepEqual([data(texts.claude).type, data(texts.claude).error.type], [
    "error",
    "api_error",
  ]);
  assert.match(texts.responses, /^event: error\ndata: /);
  assert.equal(data(texts.responses).type, "error");
  assert.match(data(texts.responses).message, /the connection was closed/);
  assert.equal(data(texts.gemini).error.code, 502);
  for (const text of Object.values(texts)) {
    assert(text.endsWith("\n\n") && !/\[DONE\]|message_stop|response\.completed/.test(text));
  }
  const [gemini] = (await loadFormats()).filter(({ protocol }) => protocol.name === "gemini");
  const array = failedStreamText(
    { server: gemini.server, id: "id1", context: { ...context, framing: JSON_ARRAY } },
    error,
  );
  assert.equal(JSON.parse(array)[0].error.code, 502);
});

Deno.test("refuses local files and URLs that the gateway would have to fetch", async () => {
  await using gateway = new HttpGateway({}, undefined, [
    { model: "claude", baseUrl: "https://api.anthropic.com" },
    { model: "gpt" },
  ]);
  for (
    const file_data of ["file:///etc/passwd", "/etc/passwd", "~/.ssh/id_rsa", "C:\\secret.pdf"]
  ) {
    const content = [{ type: "file", file: { filename: "a.pdf", file_data } }];
    const { status, error } = await gateway.error("/v1/chat/completions", {
      body: { model: "claude", messages: [{ role: "user", content }] },
    });
    assert.equal(status, 400, file_data);
    assert.match(String(error.param), /messages/);
  }
  const source = { type: "url", url: "http://169.254.169.254/latest/meta-data.pdf" };
  const messages = [{ role: "user", content: [{ type: "document", source }] }];
  const { status } = await gateway.error("/v1/messages", {
    body: { model: "gpt", max_tokens: 9, messages },
  });
  assert.equal(status, 400);
  assert.equal(gateway.sent.length, 0);
});
