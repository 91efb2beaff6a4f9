/** Streams that are cancelled, left or read slowly. */
import assert from "node:assert/strict";
import { AbortedError, type ChatOptions, type Fetch, LLMClient } from "../../mod.ts";
import { deadlinesOf } from "../../lib/transport/deadlines.ts";
import { EVENT_STREAM_HEAD, startRawServer, textEvent } from "../support/raw_server.ts";

const HELLO = [{ role: "user", content: "Hello" }] as const;

/** A server whose model sends one word and then nothing. */
async function silentServer() {
  return await startRawServer((socket) => socket.write(`${EVENT_STREAM_HEAD}${textEvent("one")}`));
}

/** A server that sends a whole stream in one piece, and keeps the connection. */
async function wholeServer() {
  const events = `${textEvent("one")}data: [DONE]\n\n`;
  const chunk = `${events.length.toString(16)}\r\n${events}\r\n0\r\n\r\n`;
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n";
  return await startRawServer((socket) => socket.write(`${head}\r\n${chunk}`));
}

function clientOf(baseUrl: string, options: object = {}): LLMClient {
  return new LLMClient({ baseUrl, model: "m", concurrencyLimit: 1, timeout: 1000, ...options });
}

/** Runs `work` until the server sees that the connection was closed. */
async function untilClosed(server: { closed: () => number }): Promise<void> {
  while (server.closed() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

Deno.test("leaving a stream aborts the request even while the model is silent", async () => {
  await using server = await silentServer();
  await using client = clientOf(server.baseUrl);
  const iterator = client.chatCompletionsStream(HELLO)[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value, "one");
  const pending = iterator.next();
  await iterator.return!();
  assert.deepEqual(await pending, { done: true, value: undefined });
  await untilClosed(server);
  assert.equal(client.stats[0].inFlight, 0);
});

Deno.test("abort() ends a stream immediately, and its reason is the cause of the error", async () => {
  await using server = await silentServer();
  await using client = clientOf(server.baseUrl);
  const stream = client.chatCompletionsStream(HELLO);
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  const pending = iterator.next();
  const reason = new Error("the user has gone");
  stream.abort(reason);
  await assert.rejects(pending, { code: "aborted", cause: reason });
  await assert.rejects(stream.finalResult(), { code: "aborted", cause: reason });
  await untilClosed(server);
  assert.equal(client.stats[0].inFlight, 0);
});

Deno.test("abort() frees the slot of a stream that nobody reads at the moment", async () => {
  await using server = await silentServer();
  await using client = clientOf(server.baseUrl);
  const signals = [undefined, new AbortController()];
  for (const controller of signals) {
    const stream = client.chatCompletionsStream(HELLO, { signal: controller?.signal });
    const iterator = stream[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).value, "one");
    (controller ?? stream).abort();
    await assert.rejects(
      stream.finalResult(),
      (error) => error instanceof AbortedError && error.partial?.content === "one",
    );
    assert.equal(client.stats[0].inFlight, 0);
    await assert.rejects(iterator.next(), { code: "aborted" });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  }
});

Deno.test("abort() frees the slot of a stream whose last part waits to be read", async () => {
  await using server = await wholeServer();
  await using client = clientOf(server.baseUrl);
  const stream = client.chatCompletionsStream(HELLO);
  const iterator = stream[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value, "one");
  stream.abort();
  await assert.rejects(
    stream.finalResult(),
    (error) => error instanceof AbortedError && error.partial?.content === "one",
  );
  await assert.rejects(iterator.next(), { code: "aborted" });
  assert.equal(client.stats[0].inFlight, 0);
});

Deno.test("the connection of a stream that was read to its end is used again", async () => {
  await using server = await wholeServer();
  await using client = clientOf(server.baseUrl);
  for (let i = 0; i < 3; i++) {
    const { content } = await client.chatCompletionsStream(HELLO).finalResult();
    assert.equal(content, "one");
  }
  assert.equal(server.connections(), 1);
});

Deno.test("closing the client frees the slot of a stream that nobody reads at the moment", async () => {
  await using server = await silentServer();
  const client = clientOf(server.baseUrl);
  const stream = client.chatCompletionsStream(HELLO);
  await stream[Symbol.asyncIterator]().next();
  await client.close();
  await assert.rejects(stream.finalResult(), { code: "aborted" });
  assert.equal(client.stats[0].inFlight, 0);
});

Deno.test("cancelling a web stream aborts the request", async () => {
  await using server = await silentServer();
  await using client = clientOf(server.baseUrl);
  const reader = client.chatCompletionsStream(HELLO).toReadableStream().getReader();
  assert.equal((await reader.read()).value, "one");
  await reader.cancel();
  await untilClosed(server);
});

Deno.test("an abort does not wait for a custom fetch that ignores its signal", async () => {
  const fetch: Fetch = () => new Promise(() => {});
  await using client = clientOf("http://host/v1", { fetch });
  for (const isStream of [false, true]) {
    const controller = new AbortController();
    const options: ChatOptions = { signal: controller.signal };
    const call = isStream
      ? client.chatCompletionsStream(HELLO, options).finalResult()
      : client.chatCompletions(HELLO, options);
    while (client.stats[0].inFlight === 0) await Promise.resolve();
    controller.abort();
    await assert.rejects(call, { code: "aborted" });
    assert.equal(client.stats[0].inFlight, 0);
  }
});

Deno.test("an abort does not wait for the endless body of a custom fetch", async () => {
  const fetch: Fetch = (_url, init) => {
    const { stream } = JSON.parse(String(init.body));
    const begin = stream ? 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n' : '{"cho';
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(begin)),
    });
    return Promise.resolve(new Response(body));
  };
  await using client = clientOf("http://host/v1", { fetch });
  for (const isStream of [false, true]) {
    for (let turns = 0; turns < 30; turns++) {
      const controller = new AbortController();
      const options: ChatOptions = { signal: controller.signal };
      const call = isStream
        ? client.chatCompletionsStream(HELLO, options).finalResult()
        : client.chatCompletions(HELLO, options);
      while (client.stats[0].inFlight === 0) await Promise.resolve();
      for (let i = 0; i < turns; i++) await Promise.resolve();
      controller.abort();
      await assert.rejects(call, { code: "aborted" });
      assert.equal(client.stats[0].inFlight, 0);
    }
  }
});

Deno.test("the cause of an abort is the signal's reason, at every stage of a call", async () => {
  const held: Fetch = (_, init) =>
    new Promise((_, reject) =>
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason))
    );
  const reason = new Error("no longer needed");
  await using client = clientOf("http://host/v1", { fetch: held });
  // The first is in flight, the second waits for its slot.
  const controllers = [new AbortController(), new AbortController(), new AbortController()];
  const calls = controllers.slice(0, 2).map(({ signal }) =>
    client.chatCompletions(HELLO, { signal })
  );
  controllers[2].abort(reason);
  calls.push(client.chatCompletions(HELLO, { signal: controllers[2].signal }));
  const errors = calls.map((call) => call.then(() => assert.fail(), (error) => error));
  while (client.stats[0].inFlight === 0) await Promise.resolve();
  for (const controller of controllers.toReversed()) controller.abort(reason);
  for (const error of await Promise.all(errors)) {
    assert.ok(error instanceof AbortedError, String(error));
    assert.equal(error.cause, reason);
  }
});

Deno.test("a signal that times out is the cause of the error", async () => {
  const held: Fetch = () => new Promise(() => {});
  await using client = clientOf("http://host/v1", { fetch: held });
  const call = client.chatCompletions(HELLO, { signal: AbortSignal.timeout(1) });
  const error = await call.then(() => assert.fail(), (error) => error);
  assert.equal(error.code, "aborted");
  assert.equal(error.cause?.name, "TimeoutError");
});

Deno.test("the idle timer runs only while waiting for the server", async () => {
  const timeout = 987.5;
  const event = (text: string) => new TextEncoder().encode(textEvent(text));
  const chunks = [event("one"), event("two"), new TextEncoder().encode("data: [DONE]\n\n")];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
  const fetch: Fetch = () =>
    Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  await using client = clientOf("http://host/v1", { fetch, timeout });
  const seen: number[] = [];
  for await (const _ of client.chatCompletionsStream(HELLO)) seen.push(deadlinesOf(timeout).size);
  assert.deepEqual(seen, [0, 0]);
});

Deno.test("a stream with schemaRetries is rejected", async () => {
  await using client = clientOf("http://host/v1");
  assert.throws(() => client.chatCompletionsStream(HELLO, { schemaRetries: 1 }), {
    code: "configuration",
    message: /^schemaRetries: /,
  });
});
