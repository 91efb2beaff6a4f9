/** Servers that answer and close the connection before they have read the request, as some do with a large one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { httpAnswer } from "../../support/raw_server.ts";
import { failureOf, READERS } from "./exchanges.ts";

/** Runs in a thread, so that the connection closes while the client is sending. */
const SERVER = `
const { createServer } = require("node:net");
const { parentPort, workerData } = require("node:worker_threads");
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => {
    socket.pause();
    // What has not been read makes the system reset the connection.
    socket.write(workerData, () => socket.destroy());
  });
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
`;

/** More than the system takes at once. */
const BODY = JSON.stringify("x".repeat(5_000_000));
/** The order of events differs from one request to the next. */
const TIMES = 20;

async function startImpatientServer(answer: string) {
  const worker = new Worker(SERVER, { eval: true, workerData: answer });
  const [port] = await once(worker, "message");
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

Deno.test("an answer is read although its connection closes before the request was sent", async () => {
  await using server = await startImpatientServer(httpAnswer(413, "too large"));
  for (let i = 0; i < TIMES; i++) {
    for (const read of Object.values(READERS)) {
      const answer = await read(server.baseUrl, { body: BODY });
      assert.deepEqual([answer.status, answer.body], [413, "too large"]);
    }
  }
});

const name = "an answer without a length is cut short by a reset while the request is sent";

// Bun reports some resets as a regular end of the connection.
Deno.test(name, { ignore: "bun" in process.versions }, async () => {
  await using server = await startImpatientServer("HTTP/1.1 413 Too Large\r\n\r\ntoo lar");
  for (let i = 0; i < TIMES; i++) {
    for (const read of Object.values(READERS)) {
      const error = await failureOf(read(server.baseUrl, { body: BODY }));
      assert.deepEqual([error.code, error.retryable], ["connection", true]);
    }
  }
});
