/** Servers that compress without being asked to, and charsets other than UTF-8. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { BodyReader } from "../../../lib/transport/body_reader.ts";
import { defaultFetch } from "../../../lib/transport/default_fetch.ts";
import { Exchange } from "../../../lib/transport/http.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { failureOf, READERS, readWhole, until } from "./exchanges.ts";

const TEXT = `{"a":"${"日本語 text ".repeat(2_000)}"}`;

const GZIP = gzipSync(TEXT);

/** The same text in each coding. Some servers send raw deflate data, without the header of zlib. */
const CODED: Record<string, [coding: string, bytes: Uint8Array]> = {
  gzip: ["gzip", GZIP],
  "gzip in capitals": ["GZip", GZIP],
  "x-gzip": ["x-gzip", GZIP],
  deflate: ["deflate", deflateSync(TEXT)],
  "raw deflate": ["deflate", deflateRawSync(TEXT)],
  brotli: ["br", brotliCompressSync(TEXT)],
  zstandard: ["zstd", zstdCompressSync(TEXT)],
  identity: ["identity", Buffer.from(TEXT)],
  "an unknown coding": ["x-mine", Buffer.from(TEXT)],
};

function head(coding: string, framing: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\n${framing}\r\n\r\n`;
}

function chunksOf(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 100) {
    const part = bytes.subarray(at, at + 100);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

for (const [name, [coding, bytes]] of Object.entries(CODED)) {
  Deno.test(`an answer in ${name} is decoded`, async () => {
    await using server = await startRawServer((socket, { number }) => {
      const isChunked = number % 2 === 1;
      const framing = isChunked ? "transfer-encoding: chunked" : `content-length: ${bytes.length}`;
      socket.write(head(coding, framing));
      socket.write(isChunked ? chunksOf(bytes) : bytes);
    });
    for (const read of Object.values(READERS)) {
      for (let i = 0; i < 4; i++) {
        const { body } = await read(server.baseUrl);
        assert(body === TEXT, `${i}: ${body.length} characters`);
      }
    }
    assert.equal(server.requests.length, 8);
  });
}

Deno.test("a coding is decoded although its first bytes arrive one by one", async () => {
  for (const [coding, bytes] of Object.values(CODED)) {
    await using server = await startRawServer(async (socket) => {
      socket.write(head(coding, `content-length: ${bytes.length}`));
      for (let at = 0; at < 3; at++) {
        await nextTurn();
        socket.write(bytes.subarray(at, at + 1));
      }
      await nextTurn();
      socket.write(bytes.subarray(3));
    });
    for (const [how, read] of Object.entries(READERS)) {
      const { body } = await read(server.baseUrl);
      assert(body === TEXT, `${coding} ${how}: ${body.length} characters`);
    }
  }
});

Deno.test("an empty body is not decoded", async () => {
  await using server = await startRawServer((socket) =>
    socket.write(head("gzip", "content-length: 0"))
  );
  for (const read of Object.values(READERS)) assert.equal((await read(server.baseUrl)).body, "");
});

for (const [coding, bytes] of Object.entries({ gzip: GZIP, br: brotliCompressSync(TEXT) })) {
  Deno.test(`compressed data that is cut short or damaged is an error (${coding})`, async () => {
    const damaged = Buffer.from(bytes);
    damaged.fill(0xaa, 4, 40);
    for (const body of [bytes.subarray(0, bytes.length - 20), damaged, Buffer.from("plain")]) {
      await using server = await startRawServer((socket) => {
        socket.write(head(coding, `content-length: ${body.length}`));
        socket.write(body);
      });
      for (const read of Object.values(READERS)) {
        const error = await failureOf(read(server.baseUrl));
        assert.equal(error.code, "connection");
        assert("sent" in error && error.sent);
      }
    }
  });
}

Deno.test("a connection that closes within compressed data is an error", async () => {
  await using server = await startRawServer((socket) => {
    socket.write(head("gzip", `content-length: ${GZIP.length}`));
    socket.end(GZIP.subarray(0, GZIP.length / 2));
  });
  for (const read of Object.values(READERS)) {
    const { message } = await failureOf(read(server.baseUrl));
    assert.match(message, /^the connection was closed before the answer was complete/);
  }
});

Deno.test("damaged data closes the connection, even if the server keeps sending", async () => {
  const damaged = Buffer.from(GZIP);
  damaged.fill(0xaa, 4, 40);
  await using server = await startRawServer((socket) => {
    socket.write(head("gzip", "transfer-encoding: chunked"));
    const timer = setInterval(() => socket.write(chunksOf(damaged).subarray(0, -5)), 5);
    socket.on("close", () => clearInterval(timer));
  });
  for (const read of Object.values(READERS)) await failureOf(read(server.baseUrl));
  await until(() => server.closed() === 2);
});

Deno.test("a compressed stream can be left or aborted at any moment", async () => {
  const zeros = gzipSync(new Uint8Array(2_000_000));
  await using server = await startRawServer(async (socket) => {
    socket.write(head("gzip", "transfer-encoding: chunked"));
    for (let at = 0; at < zeros.length && !socket.destroyed; at += 100) {
      const part = zeros.subarray(at, at + 100);
      socket.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part]));
      socket.write("\r\n");
      await nextTurn();
    }
  });
  for (let i = 0; i < 10; i++) {
    const controller = new AbortController();
    const exchange = new Exchange(server.baseUrl, controller.signal);
    const request = { url: server.baseUrl, headers: {} };
    const reader = new BodyReader((await exchange.open(request, defaultFetch)).body!);
    for (let j = 0; j < i; j++) await reader.read();
    if (i % 2 === 0) controller.abort();
    reader.close();
    exchange.close();
  }
  await until(() => server.closed() === 10);
});

Deno.test("a charset other than UTF-8 is decoded", async () => {
  const type = "content-type: application/json; charset=latin1\r\n";
  await using server = await startRawServer((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${type}content-length: 4\r\n\r\n`);
    socket.write(Buffer.from("caf\xe9", "latin1"));
  });
  assert.equal((await readWhole(server.baseUrl)).body, "café");
});
