/** What requests look like to the server. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultFetch } from "../../../lib/transport/default_fetch.ts";
import { streamedBody } from "../../../lib/runtime/request_body.ts";
import { maxRequests } from "../../../lib/runtime/runtime.ts";
import { Exchange } from "../../../lib/transport/http.ts";
import { httpAnswer, startRawServer } from "../../support/raw_server.ts";
import { readWhole } from "./exchanges.ts";

const ANSWER = httpAnswer(200, "{}");

/** A server that records the bytes of its only request, and answers when `isComplete`. */
async function startRecorder(isComplete: (bytes: string) => boolean) {
  let bytes = "";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      bytes += text;
      if (isComplete(bytes)) socket.end(ANSWER);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    bytes: () => bytes,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("the bytes of a request", async () => {
  await using server = await startRecorder((bytes) => bytes.endsWith("\xc3\xa4"));
  const url = `http://user@${server.host}/v1/%20a b?q=1&r=ä#fragment`.replace("user@", "");
  await readWhole(url, { body: "ä", headers: { "content-type": "a/b", "X-Empty": "" } });
  const [head, body] = server.bytes().split("\r\n\r\n");
  const [line, ...fields] = head.split("\r\n");
  assert.equal(line, "POST /v1/%20a%20b?q=1&r=%C3%A4 HTTP/1.1");
  const headers = fields.map((field) => field.toLowerCase());
  assert(headers.includes(`host: ${server.host}`), head);
  assert(headers.includes("content-length: 2"), head);
  assert(headers.includes("content-type: a/b"), head);
  assert(headers.some((header) => header.trimEnd() === "x-empty:"), head);
  assert(headers.some((header) => header.startsWith("user-agent: ")), head);
  assert(headers.includes("accept: */*"), head);
  assert(!headers.some((header) => header.startsWith("transfer-encoding")), head);
  assert.equal(new Set(headers.map((header) => header.split(":")[0])).size, headers.length);
  assert.equal(body, "\xc3\xa4");
});

Deno.test("headers of the caller replace those of the runtime", async () => {
  await using server = await startRawServer((socket) => socket.write(ANSWER));
  const headers = { "User-Agent": "flexllm/1", ACCEPT: "text/event-stream", authorization: "k" };
  await readWhole(server.baseUrl, { headers });
  const sent = server.requests[0].headers;
  assert.equal(sent.get("user-agent"), "flexllm/1");
  assert.equal(sent.get("accept"), "text/event-stream");
  assert.equal(sent.get("authorization"), "k");
});

Deno.test("a GET has no body, and a path is never empty", async () => {
  await using server = await startRecorder((bytes) => bytes.endsWith("\r\n\r\n"));
  const url = `http://${server.host}?a=b`;
  const exchange = new Exchange(url, undefined);
  const response = await exchange.open({ url, headers: {} }, defaultFetch);
  assert.equal(await response.text(), "{}");
  exchange.close();
  assert.match(server.bytes(), /^GET \/\?a=b HTTP\/1\.1\r\n/);
  assert.doesNotMatch(server.bytes(), /content-length: [^0]|transfer-encoding/i);
});

for (const method of ["PUT", "DELETE", "PATCH"]) {
  Deno.test(`${method} is sent with its body, or without`, async () => {
    await using server = await startRawServer((socket) => socket.write(ANSWER));
    for (const body of ["text", undefined]) {
      const exchange = new Exchange(server.baseUrl, undefined);
      const request = { method, url: server.baseUrl, headers: {}, body };
      const response = await exchange.open(request, defaultFetch);
      assert.equal(await response.text(), "{}");
      exchange.close();
    }
    assert.deepEqual(server.requests.map(({ body }) => body), ["text", ""]);
  });
}

Deno.test("a HEAD has an answer without a body, whatever its length", async () => {
  await using server = await startRawServer((socket) =>
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
  );
  for (let i = 0; i < 2; i++) {
    const exchange = new Exchange(server.baseUrl, undefined);
    const request = { method: "HEAD", url: server.baseUrl, headers: {} };
    const response = await exchange.open(request, defaultFetch);
    assert.equal(await response.text(), "");
    assert.equal(response.headers.get("content-length"), "5");
    exchange.close();
  }
});

const BODIES: Record<string, string> = {
  "characters of several bytes": JSON.stringify("日本語 😀 ä\u0000"),
  "lone surrogates": "a\ud83db\ude00c\ud83d",
  "100,000 characters": "日本".repeat(50_000),
};

for (const [name, body] of Object.entries(BODIES)) {
  Deno.test(`a body of ${name} arrives`, async () => {
    await using server = await startRawServer((socket) => socket.write(ANSWER));
    await readWhole(server.baseUrl, { body });
    await readWhole(server.baseUrl, { body });
    for (const received of server.requests) assert.equal(received.body, body.toWellFormed());
  });
}

Deno.test("a body that is a stream arrives with its length", async () => {
  await using server = await startRawServer((socket) => socket.write(ANSWER));
  const text = "äb".repeat(50_000);
  const { size } = new Blob([text]);
  const stream = new Blob([text]).stream();
  const exchange = new Exchange(server.baseUrl, undefined);
  const body = streamedBody(stream, size);
  const request = { url: server.baseUrl, headers: {}, body };
  const response = await exchange.open(request, defaultFetch);
  assert.equal(await response.text(), "{}");
  exchange.close();
  assert.equal(server.requests[0].headers.get("content-length"), String(size));
  assert.equal(server.requests[0].body, text);
});

Deno.test("a body of 10 MB arrives at a server that reads slowly", async () => {
  const body = "0123456789 ä日本😀 \ud83d".repeat(400_000);
  const sent = Buffer.from(body);
  let received = Buffer.alloc(0);
  const server = createServer({ highWaterMark: 256 * 1024 }, async (socket) => {
    const chunks: Buffer[] = [];
    let left = sent.length;
    for await (const chunk of socket) {
      const start = left === sent.length ? chunk.indexOf("\r\n\r\n") + 4 : 0;
      chunks.push(chunk.subarray(start));
      left -= chunk.length - start;
      await sleep(1);
      if (left > 0) continue;
      received = Buffer.concat(chunks);
      socket.end(ANSWER);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  assert.equal((await readWhole(`http://127.0.0.1:${port}`, { body })).body, "{}");
  assert(received.equals(sent), `${received.length} of ${sent.length} bytes`);
  await new Promise((resolve) => server.close(resolve));
});

const REFUSED: Record<string, Record<string, string>> = {
  "a line break in a value": { x: "a\r\nb: c" },
  "a line feed in a value": { x: "a\nb" },
  "a zero byte in a value": { x: "a\0b" },
  "a value beyond Latin-1": { x: "日本" },
  "a space in a name": { "x y": "a" },
  "a colon in a name": { "x:": "a" },
  "a line break in a name": { "x\r\ny": "a" },
  "an empty name": { "": "a" },
  "a name beyond ASCII": { "ä": "a" },
};

for (const [name, headers] of Object.entries(REFUSED)) {
  Deno.test(`a request with ${name} is not sent`, async () => {
    await using server = await startRawServer((socket) => socket.write(ANSWER));
    await assert.rejects(readWhole(server.baseUrl, { headers }));
    assert.equal(server.requests.length, 0);
  });
}

Deno.test("spaces around header values are removed, and Latin-1 is sent as bytes", async () => {
  await using server = await startRecorder((bytes) => bytes.endsWith("{}"));
  const headers = { "x-a": " \ta b\t", "x-b": "caf\xe9" };
  await readWhole(`http://${server.host}/v1`, { headers });
  assert.match(server.bytes(), /\r\nx-a: a b\r\n/i);
  assert.match(server.bytes(), /\r\nx-b: caf\xe9\r\n/i);
});

/** As many as Bun's own `fetch` sends at a time, or 500. */
const MANY = Math.min(500, maxRequests());

Deno.test("hundreds of requests at once are answered, and their connections used again", async () => {
  const waiting: (() => void)[] = [];
  await using server = await startRawServer((socket, { body }) => {
    waiting.push(() => socket.write(httpAnswer(200, body)));
    if (waiting.length % MANY === 0) { for (const answer of waiting.splice(0)) answer(); }
  });
  const send = async (i: number) => {
    assert.equal((await readWhole(server.baseUrl, { body: `"${i}"` })).body, `"${i}"`);
  };
  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: MANY }, (_, i) => send(i)));
  }
  assert.equal(server.requests.length, 2 * MANY);
  assert(server.connections() < 2 * MANY, `${server.connections()}`);
});
