/** Connections that end before the answer does, and answers that come before the request was sent. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { startRawServer } from "../../support/raw_server.ts";
import { failureOf, READERS, readWhole } from "./exchanges.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNK_HEAD = `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`;

const HALVES: Record<string, string> = {
  "nothing": "",
  "half a status line": "HTTP/1.1 20",
  "half the headers": `${OK}content-length: 5\r\n`,
  "the headers": `${OK}content-length: 5\r\n\r\n`,
  "half the body": `${OK}content-length: 5\r\n\r\nhel`,
  "all but one byte": `${OK}content-length: 5\r\n\r\nhell`,
  "the headers of chunks": `${OK}transfer-encoding: chunked\r\n\r\n`,
  "half a chunk size": `${OK}transfer-encoding: chunked\r\n\r\n1`,
  "half a chunk": `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhel`,
  "no last chunk": CHUNK_HEAD,
  "only a 100 (Continue)": "HTTP/1.1 100 Continue\r\n\r\n",
};

for (const [name, answer] of Object.entries(HALVES)) {
  for (const end of ["end", "resetAndDestroy"] as const) {
    Deno.test(`a connection that closes after ${name} is an error (${end})`, async () => {
      await using server = await startRawServer((socket) => {
        if (answer === "") socket[end]();
        else socket.write(answer, () => socket[end]());
      });
      for (const read of Object.values(READERS)) {
        const error = await failureOf(read(server.baseUrl));
        const problem = "the connection was closed before the answer was complete";
        assert.equal(error.message, `${problem} (${server.baseUrl})`);
        assert.deepEqual([error.code, error.retryable], ["connection", true]);
        assert("sent" in error && error.sent);
      }
      assert.equal(server.requests.length, 2);
    });
  }
}

for (const last of ["0\r\n", "0\r\nx-sum: 1\r\n"]) {
  Deno.test(`a connection may close within the last chunk ${JSON.stringify(last)}`, async () => {
    await using server = await startRawServer((socket) => socket.end(CHUNK_HEAD + last));
    for (const read of Object.values(READERS)) {
      // All of the body has arrived, so both are right.
      const text = await read(server.baseUrl).then(({ body }) => body, ({ code }) => code);
      assert(text === "hello" || text === "connection", text);
    }
  });
}

Deno.test("an answer before the request was sent is read, and its connection is not used again", async () => {
  const body = JSON.stringify("x".repeat(8_000_000));
  for (const isClosed of [true, false]) {
    const closing = isClosed ? "connection: close\r\n" : "";
    const answer = `HTTP/1.1 413 Too Large\r\n${closing}content-length: 5\r\n\r\nlarge`;
    const sockets: Socket[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await using server = await startEagerServer((socket) => {
      sockets.push(socket);
      socket.write(answer, () => resolve());
    });
    const first = await readWhole(server.baseUrl, { body });
    await promise;
    assert.deepEqual([first.status, first.body], [413, "large"]);
    for (const socket of sockets) socket.resume();
    assert.equal((await readWhole(server.baseUrl)).status, 413);
    assert.equal(sockets.length, 2);
  }
});

/** Answers as soon as a connection sends something, without reading more. */
async function startEagerServer(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.pause();
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
