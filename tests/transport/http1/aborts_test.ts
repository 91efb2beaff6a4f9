/** Timeouts and aborts in every phase of a request: the error, and the connection at the server. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LLMClient } from "../../../mod.ts";
import { defaultFetch } from "../../../lib/transport/default_fetch.ts";
import { BodyReader } from "../../../lib/transport/body_reader.ts";
import { AbortedError } from "../../../lib/errors.ts";
import { Exchange } from "../../../lib/transport/http.ts";
import { openBlackhole } from "../../support/blackhole.ts";
import { completion, httpAnswer, startRawServer } from "../../support/raw_server.ts";
import { failureOf, READERS, readWhole, type Sending, until } from "./exchanges.ts";

const OK = "HTTP/1.1 200 OK\r\n";

/** Servers that send a part of their answer, and then wait. */
const PHASES: Record<string, string> = {
  "before the answer": "",
  "within the status line": "HTTP/1.1 2",
  "within the headers": `${OK}content-length: 5\r\nx`,
  "after a 100 (Continue)": "HTTP/1.1 100 Continue\r\n\r\n",
  "before the body": `${OK}content-length: 5\r\n\r\n`,
  "within the body": `${OK}content-length: 5\r\n\r\nhe`,
  "within a chunk": `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhe`,
  "between chunks": `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`,
  "before the end of the connection": `${OK}\r\nhello`,
};

/** Aborts as soon as the server has sent its part, and once more a little later. */
for (const [name, part] of Object.entries(PHASES)) {
  for (const [how, read] of Object.entries(READERS)) {
    Deno.test(`a request that is aborted ${name} closes its connection (${how})`, async () => {
      for (const isLate of [false, true]) {
        const controller = new AbortController();
        const reason = new Error("enough");
        await using server = await startRawServer((socket) => {
          if (part !== "") socket.write(part);
          if (isLate) setTimeout(() => controller.abort(reason), 5);
          else controller.abort(reason);
        });
        const error = await failureOf(read(server.baseUrl, { signal: controller.signal }));
        assert(error instanceof AbortedError, error.message);
        assert.equal(error.cause, reason);
        await until(() => server.closed() === 1);
        assert.equal(server.requests.length, 1);
      }
    });

    Deno.test(`a request that times out ${name} closes its connection (${how})`, async () => {
      await using server = await startRawServer((socket) => {
        if (part !== "") socket.write(part);
      });
      const error = await failureOf(read(server.baseUrl, { timeout: 0.05 }));
      assert.equal(error.code, "timeout");
      assert.match(error.message, /^no .* within 0\.05 s$/);
      // On a busy machine, it may end before the server has noticed it.
      await until(() => server.closed() === server.connections());
      assert(server.requests.length <= 1);
    });
  }
}

Deno.test("bytes that arrive slowly do not extend the timeout of a whole answer", async () => {
  await using server = await startRawServer((socket) => {
    socket.write(`${OK}content-length: 1000\r\n\r\n`);
    const timer = setInterval(() => socket.write("x"), 5);
    socket.on("close", () => clearInterval(timer));
  });
  const error = await failureOf(readWhole(server.baseUrl, { timeout: 0.1 }));
  assert.equal(error.message, "no complete answer within 0.1 s");
  await until(() => server.closed() === server.connections());
});

for (const [how, read] of Object.entries(READERS)) {
  Deno.test(`connecting can time out or be aborted, also with TLS (${how})`, async () => {
    await using blackhole = await openBlackhole();
    for (const scheme of ["http", "https"]) {
      const url = blackhole.baseUrl.replace("http", scheme);
      const error = await failureOf(read(url, { timeout: 0.05 }));
      assert.equal(error.code, "timeout");
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 5);
      const { code } = await failureOf(read(url, { signal: controller.signal }));
      assert.equal(code, "aborted");
    }
    // Time for rejections that no code handles.
    await nextTurn();
  });

  Deno.test(`a request whose signal has fired is not sent (${how})`, async () => {
    await using server = await startRawServer((socket) => socket.write(httpAnswer(200, "{}")));
    const error = await failureOf(read(server.baseUrl, { signal: AbortSignal.abort() }));
    assert.equal(error.code, "aborted");
    await read(server.baseUrl);
    assert.equal(server.requests.length, 1);
  });

  Deno.test(`a signal that fires after the answer changes nothing (${how})`, async () => {
    await using server = await startRawServer((socket) => socket.write(httpAnswer(200, "{}")));
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController();
      assert.equal((await read(server.baseUrl, { signal: controller.signal })).body, "{}");
      controller.abort();
    }
    assert.equal(server.connections(), 1);
  });
}

/** A server that reads nothing. */
async function startDeafServer() {
  const sockets: Socket[] = [];
  let closed = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("close", () => closed++);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    sockets,
    closed: () => closed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("a request that is still being sent can time out or be aborted", async () => {
  const body = "x".repeat(20_000_000);
  await using server = await startDeafServer();
  const ends: [Sending, string][] = [
    [{ timeout: 0.2 }, "timeout"],
    [{ signal: AbortSignal.timeout(200) }, "aborted"],
  ];
  for (const [sending, code] of ends) {
    for (const read of Object.values(READERS)) {
      const error = await failureOf(read(server.baseUrl, { ...sending, body }));
      assert.equal(error.code, code);
      // It notices the end when it reads.
      server.sockets.at(-1)!.resume();
    }
  }
  await until(() => server.closed() === server.sockets.length);
});

Deno.test("an aborted request leaves no slot behind, and the next one is answered", async () => {
  await using server = await startRawServer((socket, { number }) => {
    if (number % 2 === 1) socket.write(httpAnswer(200, completion("hello")));
  });
  await using client = new LLMClient({
    baseUrl: server.baseUrl,
    model: "m",
    concurrencyLimit: 1,
    retryTimes: 0,
  });
  for (let i = 0; i < 5; i++) {
    const controller = new AbortController();
    const { signal } = controller;
    const messages = [{ role: "user" as const, content: `${i}` }];
    const first = client.chatCompletions(messages, { signal });
    const second = client.chatCompletions(messages);
    await until(() => server.requests.length === 2 * i + 1);
    controller.abort();
    await assert.rejects(first, { code: "aborted" });
    assert.equal((await second).content, "hello");
    assert.equal(client.stats[0].inFlight, 0);
  }
  assert.equal(server.requests.length, 10);
});

Deno.test("a reader that does not read keeps the server from sending everything", async () => {
  const size = 50_000_000;
  const piece = new Uint8Array(100_000);
  let written = 0;
  await using server = await startRawServer((socket) => {
    socket.write(`${OK}content-length: ${size}\r\n\r\n`);
    const write = () => {
      while (written < size) {
        written += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on("drain", write);
    write();
  });
  const exchange = new Exchange(server.baseUrl, undefined);
  const response = await exchange.open({ url: server.baseUrl, headers: {} }, defaultFetch);
  const reader = new BodyReader(response);
  let received = (await reader.read())!.length;
  // Time in which everything would arrive.
  for (let last = -1; last !== written;) {
    last = written;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert(written < size / 2, `${written}`);
  for (let chunk; (chunk = await reader.read()) !== undefined;) received += chunk.length;
  assert.equal(received, size);
  reader.close();
  exchange.close();
});

Deno.test("a reader that closes early closes the connection", async () => {
  await using server = await startRawServer((socket) => {
    socket.write(`${OK}content-length: 10\r\n\r\nhello`);
  });
  const exchange = new Exchange(server.baseUrl, undefined);
  const response = await exchange.open({ url: server.baseUrl, headers: {} }, defaultFetch);
  const reader = new BodyReader(response);
  await reader.read();
  reader.close();
  exchange.close();
  await until(() => server.closed() === 1);
});
