/** The client against servers that misbehave in many ways. */
import assert from "node:assert/strict";
import { type ClientOptions, LLMClient, type Message } from "../../mod.ts";
import type { FlexLLMError } from "../../mod.ts";
import {
  completion,
  EVENT_STREAM_HEAD,
  FINISH_EVENT,
  httpAnswer,
  type RawServer,
  startRawServer,
  textEvent,
} from "../support/raw_server.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello" }];
const KEY = "sk-secret-key-that-must-not-leak";

function clientOf(server: RawServer, options: Partial<ClientOptions> = {}): LLMClient {
  const { baseUrl } = server;
  return new LLMClient({
    baseUrl,
    model: "m",
    apiKey: KEY,
    retryDelay: 0,
    retryTimes: 2,
    ...options,
  });
}

async function failure(work: Promise<unknown>): Promise<FlexLLMError> {
  try {
    await work;
  } catch (error) {
    return error as FlexLLMError;
  }
  throw new Error("expected an error");
}

async function streamFailure(client: LLMClient): Promise<[pieces: string[], FlexLLMError]> {
  const pieces: string[] = [];
  const error = await failure((async () => {
    for await (const piece of client.chatCompletionsStream(HELLO)) pieces.push(piece);
  })());
  return [pieces, error];
}

/** Answers every request with the same bytes. */
function always(text: string, close = false) {
  return startRawServer((socket) => close ? socket.end(text) : socket.write(text));
}

Deno.test("chatCompletions() returns the answer with usage, model and latency", async () => {
  await using server = await always(httpAnswer(200, completion("Hi")));
  await using client = clientOf(server);
  const result = await client.chatCompletions(HELLO, { temperature: 0.5 });
  assert.equal(result.content, "Hi");
  assert.equal(result.model, "test-model");
  assert.deepEqual(result.usage, { promptTokens: 3, completionTokens: 2, totalTokens: 5 });
  assert.equal(result.cost, null);
  assert.ok(result.latency > 0);
  const [{ path, headers, body }] = server.requests;
  assert.equal(path, "/v1/chat/completions");
  assert.equal(headers.get("authorization"), `Bearer ${KEY}`);
  assert.deepEqual(JSON.parse(body), { model: "m", messages: HELLO, temperature: 0.5 });
});

Deno.test("chatCompletions() retries transient failures", async () => {
  await using server = await startRawServer((socket, { number }) =>
    number < 2
      ? socket.write(httpAnswer(503, '{"error":{"message":"busy"}}'))
      : socket.write(httpAnswer(200, completion("at last")))
  );
  await using client = clientOf(server);
  let waits = 0;
  const result = await client.chatCompletions(HELLO, { onRetry: () => waits++ });
  assert.deepEqual([result.content, waits, server.requests.length], ["at last", 2, 3]);
});

Deno.test("chatCompletions() throws the last error when its retries are used up", async () => {
  await using server = await always(httpAnswer(500, '{"error":{"message":"broken"}}'));
  await using client = clientOf(server);
  const error = await failure(client.chatCompletions(HELLO));
  assert.equal(error.message, "the server answered 500: broken");
  assert.equal(server.requests.length, 3);
});

Deno.test("a rejected key is not retried, and never shown", async () => {
  const body = JSON.stringify({ error: { message: `Incorrect API key provided: ${KEY}` } });
  await using server = await always(httpAnswer(401, body));
  await using client = clientOf(server);
  for (
    const error of [
      await failure(client.chatCompletions(HELLO)),
      (await streamFailure(client))[1],
    ]
  ) {
    assert.equal(error.code, "authentication");
    const everything = JSON.stringify({ ...error, message: error.message, stack: error.stack });
    assert.ok(!everything.includes(KEY), everything);
  }
  assert.equal(server.requests.length, 2);
});

Deno.test("an unreachable server is a connection error", async () => {
  const server = await always("");
  await server[Symbol.asyncDispose]();
  await using client = clientOf(server, { retryTimes: 0 });
  const error = await failure(client.chatCompletions(HELLO));
  assert.equal(error.code, "connection");
  assert.match(error.message, /connection refused \(http:\/\/127\.0\.0\.1:\d+\/v1/);
});

Deno.test("a connection reset in the middle of a body is retried", async () => {
  const whole = httpAnswer(200, completion("whole"));
  await using server = await startRawServer((socket, { number }) => {
    if (number > 0) return socket.write(whole);
    socket.write(whole.slice(0, -40), () => socket.resetAndDestroy());
  });
  await using client = clientOf(server);
  assert.equal((await client.chatCompletions(HELLO)).content, "whole");
  assert.equal(server.requests.length, 2);
});

Deno.test("a connection that ends in the middle of a body is retried", async () => {
  const whole = httpAnswer(200, completion("whole"));
  await using server = await startRawServer((socket, { number }) => {
    if (number > 0) socket.write(whole);
    else socket.end(whole.slice(0, -40));
  });
  await using client = clientOf(server);
  assert.equal((await client.chatCompletions(HELLO)).content, "whole");
});

Deno.test("a body that takes longer than the timeout is aborted", async () => {
  const timers: ReturnType<typeof setInterval>[] = [];
  await using server = await startRawServer((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n");
    timers.push(setInterval(() => socket.write(" "), 10));
  });
  await using client = clientOf(server, { timeout: 0.15, retryTimes: 0 });
  const error = await failure(client.chatCompletions(HELLO));
  timers.forEach(clearInterval);
  assert.equal(error.code, "timeout");
  assert.equal(error.message, "no complete answer within 0.15 s");
});

Deno.test("a web page instead of an answer suggests a wrong base URL, without retries", async () => {
  await using server = await always(
    httpAnswer(200, "<html><body>Welcome to nginx!</body></html>", { "content-type": "text/html" }),
  );
  await using client = clientOf(server);
  for (
    const work of [client.chatCompletions(HELLO), client.chatCompletionsStream(HELLO).finalResult()]
  ) {
    const error = await failure(work);
    assert.equal(error.code, "malformed_response");
    assert.match(error.message, /Welcome to nginx!/);
  }
  assert.equal(server.requests.length, 2);
});

Deno.test("a web page from a server that has answered before is retried", async () => {
  const page = { "content-type": "text/html" };
  const answers = [
    httpAnswer(200, completion("first")),
    httpAnswer(200, "<html>Bad gateway</html>", page),
    httpAnswer(200, '{"status":"starting"}'),
    httpAnswer(200, completion("second")),
  ];
  await using server = await startRawServer((socket, { number }) => {
    socket.write(answers[number]);
  });
  await using client = clientOf(server);
  assert.equal((await client.chatCompletions(HELLO)).content, "first");
  assert.equal((await client.chatCompletions(HELLO)).content, "second");
});

Deno.test("an AbortSignal aborts the call and closes the connection", async () => {
  await using server = await startRawServer(() => {});
  await using client = clientOf(server);
  const controller = new AbortController();
  const work = failure(client.chatCompletions(HELLO, { signal: controller.signal }));
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  controller.abort();
  assert.equal((await work).code, "aborted");
  while (server.closed() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
});

Deno.test("closing the client aborts requests in flight", async () => {
  await using server = await startRawServer(() => {});
  const client = clientOf(server);
  const work = failure(client.chatCompletions(HELLO));
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  client.close();
  assert.equal((await work).code, "aborted");
  assert.equal((await failure(client.chatCompletions(HELLO))).code, "aborted");
});

Deno.test("chatCompletionsStream() yields text as it arrives, then the result", async () => {
  const usage = '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}';
  await using server = await always(
    `${EVENT_STREAM_HEAD}${textEvent("Hel")}${
      textEvent("lo")
    }${FINISH_EVENT}data: ${usage}\n\ndata: [DONE]\n\n`,
  );
  await using client = clientOf(server);
  const stream = client.chatCompletionsStream(HELLO);
  const pieces: string[] = [];
  for await (const piece of stream) pieces.push(piece);
  assert.deepEqual(pieces, ["Hel", "lo"]);
  const result = await stream.finalResult();
  assert.equal(result.content, "Hello");
  assert.equal(result.usage?.totalTokens, 3);
  assert.equal(result.finishReason, "stop");
  const body = JSON.parse(server.requests[0].body);
  assert.deepEqual([body.stream, body.stream_options], [true, { include_usage: true }]);
});

Deno.test("a stream can be read as events, as a web stream, or by its result alone", async () => {
  await using server = await always(`${EVENT_STREAM_HEAD}${textEvent("Hi")}${FINISH_EVENT}`, true);
  await using client = clientOf(server);
  const types: string[] = [];
  for await (const event of client.chatCompletionsStream(HELLO).events) types.push(event.type);
  assert.deepEqual(types, ["text", "finish"]);
  const pieces: string[] = [];
  for await (const piece of client.chatCompletionsStream(HELLO).toReadableStream()) {
    pieces.push(piece);
  }
  assert.deepEqual(pieces, ["Hi"]);
  const stream = client.chatCompletionsStream(HELLO);
  assert.equal((await stream.finalResult()).content, "Hi");
  await assert.rejects(async () => {
    for await (const _ of stream);
  }, { code: "configuration" });
});

Deno.test("breaking out of a stream closes the connection and frees the slot", async () => {
  await using server = await startRawServer((socket) => {
    socket.write(`${EVENT_STREAM_HEAD}${textEvent("one")}${textEvent("two")}`);
  });
  await using client = clientOf(server, { concurrencyLimit: 1 });
  for (let i = 1; i <= 2; i++) {
    const stream = client.chatCompletionsStream(HELLO);
    for await (const piece of stream) {
      assert.equal(piece, "one");
      break;
    }
    assert.equal((await failure(stream.finalResult())).code, "aborted");
    while (server.closed() < i) await new Promise((resolve) => setTimeout(resolve, 2));
  }
});

Deno.test("a truncated stream is an error with the part that arrived", async () => {
  await using server = await always(`${EVENT_STREAM_HEAD}${textEvent("Half an")}`, true);
  await using client = clientOf(server);
  const [pieces, error] = await streamFailure(client);
  assert.deepEqual(pieces, ["Half an"]);
  assert.equal(error.message, "the stream ended before the answer was complete");
  assert.deepEqual(error.partial, { content: "Half an", thinking: null });
  assert.equal(server.requests.length, 1, "what had begun to arrive is not requested again");
});

Deno.test("a stream with a finish reason but without [DONE] is complete", async () => {
  await using server = await always(`${EVENT_STREAM_HEAD}${textEvent("ok")}${FINISH_EVENT}`, true);
  await using client = clientOf(server);
  assert.equal((await client.chatCompletionsStream(HELLO).finalResult()).content, "ok");
});

Deno.test("a stream is complete at [DONE] even if the connection stays open", async () => {
  await using server = await always(
    `${EVENT_STREAM_HEAD}${textEvent("ok")}${FINISH_EVENT}data: [DONE]\n\n`,
  );
  await using client = clientOf(server);
  assert.equal((await client.chatCompletionsStream(HELLO).finalResult()).content, "ok");
});

Deno.test("a stream that fails before its first token is retried", async () => {
  await using server = await startRawServer((socket, { number }) => {
    const good = `${EVENT_STREAM_HEAD}${textEvent("good")}${FINISH_EVENT}`;
    if (number === 0) socket.write(httpAnswer(429, "{}"));
    else if (number === 1) socket.end(EVENT_STREAM_HEAD);
    else socket.end(good);
  });
  await using client = clientOf(server);
  assert.equal((await client.chatCompletionsStream(HELLO).finalResult()).content, "good");
  assert.equal(server.requests.length, 3);
});

Deno.test("an error object within a stream ends it with that error", async () => {
  const event = 'data: {"error":{"message":"Overloaded","type":"server_error"}}\n\n';
  await using server = await always(`${EVENT_STREAM_HEAD}${textEvent("So far")}${event}`);
  await using client = clientOf(server);
  const [pieces, error] = await streamFailure(client);
  assert.deepEqual(pieces, ["So far"]);
  assert.equal(error.message, "the server reported an error: Overloaded");
  assert.equal(error.partial?.content, "So far");
});

Deno.test("silence in a stream is a timeout; keep-alive comments count as silence", async () => {
  const timers: ReturnType<typeof setInterval>[] = [];
  await using server = await startRawServer((socket) => {
    socket.write(`${EVENT_STREAM_HEAD}${textEvent("Thinking")}`);
    timers.push(setInterval(() => socket.write(": keep-alive\n\n"), 10));
  });
  await using client = clientOf(server, { timeout: 2 });
  const [, error] = await streamFailure(client);
  timers.forEach(clearInterval);
  assert.equal(error.message, "no further event of the answer within 2 s");
  assert.equal(error.partial?.content, "Thinking");
});

Deno.test("an answer that is not streamed works for a stream", async () => {
  await using server = await always(httpAnswer(200, completion("all at once")));
  await using client = clientOf(server);
  const stream = client.chatCompletionsStream(HELLO);
  const pieces: string[] = [];
  for await (const piece of stream) pieces.push(piece);
  assert.deepEqual(pieces, ["all at once"]);
  assert.equal((await stream.finalResult()).usage?.totalTokens, 5);
});

Deno.test("invalid options and messages are rejected before anything is sent", async () => {
  const wrong: Record<string, unknown>[] = [
    { baseUrl: "localhost:8000/v1" },
    { baseUrl: "ftp://host/v1" },
    { provider: "nobody" },
    { provider: undefined, baseUrl: undefined },
    { concurrencyLimit: 0 },
    { concurrencyLimit: 1.5 },
    { retryTimes: -1 },
    { timeout: 0 },
    { maxQps: 0 },
  ];
  for (const options of wrong) {
    assert.throws(
      () => new LLMClient({ baseUrl: "http://host/v1", ...options } as ClientOptions),
      { code: "configuration" },
      JSON.stringify(options),
    );
  }
  await using server = await always(httpAnswer(200, completion("Hi")));
  await using client = clientOf(server, { model: undefined });
  assert.equal((await failure(client.chatCompletions(HELLO))).code, "configuration");
  const messages: [unknown, RegExp][] = [
    [[], /at least one message/],
    ["hello", /messages: expected an array/],
    [[{ role: "usr", content: "x" }], /messages\[0\]\.role: expected one of .* got "usr"/],
    [[{ role: "user" }], /messages\[0\]\.content: expected a string/],
    [[{ role: "user", content: [{ text: "x" }] }], /messages\[0\]\.content\[0\]/],
    [[{ role: "tool", content: "x" }], /messages\[0\]\.tool_call_id/],
  ];
  for (const [value, pattern] of messages) {
    const error = await failure(client.chatCompletions(value as Message[], { model: "m" }));
    assert.equal(error.code, "invalid_input");
    assert.match(error.message, pattern);
  }
  assert.equal(server.requests.length, 0);
});

Deno.test("base URLs are normalized", async () => {
  await using server = await always(httpAnswer(200, completion("Hi")));
  for (const suffix of ["", "/", "//", "/chat/completions"]) {
    await using client = clientOf(server, { baseUrl: server.baseUrl + suffix });
    await client.chatCompletions(HELLO);
  }
  assert.deepEqual(
    new Set(server.requests.map(({ path }) => path)),
    new Set(["/v1/chat/completions"]),
  );
});

Deno.test("the options of a call do not affect the next call", async () => {
  await using server = await always(httpAnswer(200, completion("Hi")));
  await using client = clientOf(server);
  const options = Object.freeze({ model: "other", stop: Object.freeze(["x"]) as string[] });
  await client.chatCompletions(HELLO, options);
  await client.chatCompletions(HELLO);
  const bodies = server.requests.map(({ body }) => JSON.parse(body));
  assert.deepEqual(bodies.map(({ model, stop }) => [model, stop]), [["other", ["x"]], [
    "m",
    undefined,
  ]]);
});

Deno.test("redirects are not followed, so that keys and prompts go to no other server", async () => {
  await using other = await always(httpAnswer(200, completion("stolen")));
  await using server = await always(httpAnswer(307, "", { location: other.baseUrl }));
  await using client = clientOf(server);
  for (
    const work of [client.chatCompletions(HELLO), client.chatCompletionsStream(HELLO).finalResult()]
  ) {
    const error = await failure(work);
    assert.match(error.message, /answered 307 and redirects to http/);
    assert.deepEqual([error.retryable, error.fatal], [false, true]);
  }
  assert.equal(other.requests.length, 0);
});

Deno.test("an invalid key or header is rejected without being shown", () => {
  const wrong: Partial<ClientOptions>[] = [
    { apiKey: "sk-abc\nsecret" },
    { apiKey: "sk-schlüssel" },
    {
      headers: { "bad name": "secret" },
    },
    { headers: { good: "secret\n" + "x" } },
  ];
  for (const options of wrong) {
    assert.throws(
      () => new LLMClient({ baseUrl: "http://host/v1", ...options }),
      (error: FlexLLMError) => {
        assert.equal(error.code, "configuration");
        assert.ok(!/sk-|secret/.test(`${error.message}${error.stack}`));
        return true;
      },
    );
  }
  for (
    const baseUrl of [
      "http://user:pass@host/v1",
      "http://host/v1#key",
      "http://host:99999/v1",
      "http:///v1",
    ]
  ) {
    assert.throws(() => new LLMClient({ baseUrl }), (error: FlexLLMError) => {
      assert.equal(error.code, "configuration");
      assert.ok(!error.message.includes("pass@"));
      return true;
    });
  }
});

Deno.test("control characters in a server's message are removed", async () => {
  const message = `clear\x1b[2J\nscreen ${"x".repeat(5000)}`;
  await using server = await always(httpAnswer(400, JSON.stringify({ error: { message } })));
  await using client = clientOf(server);
  const error = await failure(client.chatCompletions(HELLO));
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\x00-\x1f]/.test(error.message) && error.message.length < 600, error.message);
});

Deno.test("a call after close() is rejected", async () => {
  const client = new LLMClient({ provider: "mock", model: "mock" });
  client.close();
  const error = await failure(client.chatCompletions(HELLO));
  assert.deepEqual([error.code, error.message], ["aborted", "the client is closed"]);
});
