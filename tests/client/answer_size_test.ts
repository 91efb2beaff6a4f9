/** Answers without an end are an error at a size limit, before they fill the memory. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { LLMClient, type Message } from "../../mod.ts";
import type { FlexLLMError } from "../../mod.ts";
import { MAX_ANSWER_BYTES, MAX_STREAM_BYTES } from "../../lib/transport/read_body.ts";
import { ServerSentEventReader } from "../../lib/transport/server_sent_events.ts";
import {
  EVENT_STREAM_HEAD,
  type RawServer,
  startRawServer,
  textEvent,
} from "../support/raw_server.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello" }];
const MIB = 1024 * 1024;
/** Allowance for bytes in buffers between server and client. */
const SLACK = 32 * MIB;
const JSON_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/** Writes `chunk` until the client closes the connection; returns the maximum number of bytes it received. */
async function writeWithoutEnd(socket: Socket, chunk: Uint8Array): Promise<number> {
  let written = 0;
  return await new Promise((resolve) => {
    socket.on("close", () => resolve(written));
    const go = () => {
      while (!socket.destroyed) {
        written += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("drain", go);
    go();
  });
}

interface EndlessServer extends AsyncDisposable {
  server: RawServer;
  /** The bytes that were written to the first client. */
  written: Promise<number>;
}

/** A server that sends `head`, and then `chunk` without end. */
async function endless(head: string, chunk: string): Promise<EndlessServer> {
  const written = Promise.withResolvers<number>();
  const server = await startRawServer((socket) => {
    socket.write(head);
    writeWithoutEnd(socket, new TextEncoder().encode(chunk)).then(written.resolve);
  });
  return {
    server,
    written: written.promise,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function clientOf({ baseUrl }: RawServer): LLMClient {
  return new LLMClient({ baseUrl, model: "m", retryTimes: 0, timeout: 120 });
}

async function failure(work: Promise<unknown>): Promise<FlexLLMError> {
  return await work.then(() => assert.fail("expected an error"), (error) => error);
}

Deno.test("an endless answer is an error at 64 MiB", async () => {
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
  // Chunks have no end, whatever length the head states.
  const head = `${JSON_HEAD}content-length: 20\r\ntransfer-encoding: chunked\r\n\r\n`;
  await using it = await endless(head, chunk);
  await using client = clientOf(it.server);
  const error = await failure(client.chatCompletions(HELLO));
  assert.equal(error.code, "malformed_response");
  assert.equal(error.message, "the answer is larger than 64 MiB");
  const written = await it.written;
  assert.ok(written >= MAX_ANSWER_BYTES && written < MAX_ANSWER_BYTES + SLACK, `${written}`);
});

Deno.test("an answer without a content length is read completely", async () => {
  const content = "日本語 ".repeat(50_000);
  const message = { role: "assistant", content };
  const body = JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] });
  const packed = gzipSync(body);
  await using server = await startRawServer((socket) => {
    socket.write(`${JSON_HEAD}content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n`);
    socket.write(`${packed.length.toString(16)}\r\n`);
    socket.write(packed);
    socket.write("\r\n0\r\n\r\n");
  });
  await using client = clientOf(server);
  assert.equal((await client.chatCompletions(HELLO)).content, content);
});

Deno.test("an answer with too large a content length is not read", async () => {
  await using it = await endless(`${JSON_HEAD}content-length: 9000000000\r\n\r\n`, " ".repeat(MIB));
  await using client = clientOf(it.server);
  const works = [client.chatCompletions(HELLO), client.models()];
  for (const { message } of await Promise.all(works.map(failure))) {
    assert.match(message, /larger than 64 MiB/);
  }
  assert.ok(await it.written < MAX_ANSWER_BYTES + SLACK);
});

Deno.test("the size of a compressed answer is measured after decompression", async () => {
  const packed = gzipSync(new Uint8Array(MAX_ANSWER_BYTES + MIB).fill(32));
  assert.ok(packed.length < MIB);
  await using server = await startRawServer((socket) => {
    socket.write(
      `${JSON_HEAD}content-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`,
    );
    socket.write(packed);
  });
  await using client = clientOf(server);
  const error = await failure(client.chatCompletions(HELLO));
  assert.equal(error.message, "the answer is larger than 64 MiB");
});

Deno.test("an endless error page is an error at the same limit", async () => {
  const head = "HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<p>";
  await using it = await endless(head, "x".repeat(MIB));
  await using client = clientOf(it.server);
  const works = [client.chatCompletions(HELLO), client.chatCompletionsStream(HELLO).finalResult()];
  for (const { message } of await Promise.all(works.map(failure))) {
    assert.match(message, /larger than 64 MiB/);
  }
});

Deno.test("an endless event is an error at 64 MiB", async () => {
  await using it = await endless(`${EVENT_STREAM_HEAD}${textEvent("Hi")}data: `, "x".repeat(MIB));
  await using client = clientOf(it.server);
  const stream = client.chatCompletionsStream(HELLO);
  const pieces: string[] = [];
  const error = await failure((async () => {
    for await (const piece of stream) pieces.push(piece);
  })());
  assert.deepEqual(pieces, ["Hi"]);
  assert.equal(error.message, "an event of the answer is larger than 64 MiB");
  assert.equal(error.partial?.content, "Hi");
  assert.ok(await it.written < MAX_ANSWER_BYTES + SLACK);
});

Deno.test("an endless stream is an error at 512 MiB", async () => {
  const chunk = new TextEncoder().encode(`data: ${"x".repeat(MIB - 8)}\n\n`);
  let given = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += chunk.length;
      controller.enqueue(chunk);
    },
    cancel() {
      cancelled = true;
    },
  });
  let events = 0;
  const error = await failure((async () => {
    const reader = new ServerSentEventReader(body);
    try {
      await reader.forEach((batch) => {
        events += batch.length;
        return true;
      });
    } finally {
      reader.close();
    }
  })());
  assert.equal(error.message, "the answer is larger than 512 MiB");
  assert.equal(events, 512);
  assert.ok(given <= MAX_STREAM_BYTES + 4 * MIB && cancelled);
});

Deno.test("endless headers are an error", async () => {
  for (const chunk of [`x-pad: ${"x".repeat(60_000)}\r\n`, "x".repeat(60_000)]) {
    await using it = await endless("HTTP/1.1 200 OK\r\nx-first: ", chunk);
    await using client = clientOf(it.server);
    const error = await failure(client.chatCompletions(HELLO));
    assert.equal(error.code, "connection");
    assert.match(error.message, /^the headers of the answer are too large \(http:/);
    assert.ok(await it.written < SLACK);
  }
});

Deno.test("an endless image is not read", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\nconnection: close\r\n\r\n";
  await using it = await endless(head, "x".repeat(MIB));
  await using client = new LLMClient({
    provider: "gemini",
    baseUrl: it.server.baseUrl,
    model: "m",
    retryTimes: 0,
    attachments: { allowPrivateUrls: true },
  });
  const url = `${it.server.baseUrl}/endless.png`;
  const error = await failure(client.chatCompletions([
    { role: "user", content: [{ type: "image_url", image_url: { url } }] },
  ]));
  assert.equal(error.code, "invalid_input");
  assert.match(error.message, /endless\.png: it is larger than the 20\.0 MB that can be sent/);
  assert.ok(await it.written < 20 * MIB + SLACK);
});
