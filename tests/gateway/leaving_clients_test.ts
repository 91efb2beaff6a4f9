/** Clients of a real server that leave while chunks are on their way: nothing waits for them, nothing breaks. */
import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { seededRandom } from "../../lib/runtime/random.ts";
import { serve } from "../../lib/runtime/http_server.ts";
import { ClientStream } from "../../lib/gateway/client_stream.ts";
import { CountingAccess } from "../support/counting_access.ts";
import { gatewayOf, HELLO } from "../support/gateway.ts";
import { chunk, startModelServer, startStream, STREAM_END } from "../support/model_server.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Streams `count` small chunks, one every two milliseconds; then ends properly, or breaks off. */
async function stream(
  { response }: Parameters<NonNullable<Parameters<typeof startModelServer>[0]>>[0],
  count: number,
): Promise<void> {
  startStream(response);
  for (let i = 0; i < count && !response.destroyed; i++) {
    response.write(chunk({ content: "word " }));
    await sleep(2);
  }
  if (count % 2 === 0) response.end(STREAM_END);
  else response.destroy();
}

/**
 * Clients in a thread of their own, so that they can leave while the gateway is at work. Each sends a request and
 * leaves a random time after its answer has begun; every fourth leaves that time after it has come.
 */
const CLIENTS = `
const { connect } = require("node:net");
const { parentPort, workerData: { port, body, delays } } = require("node:worker_threads");
const visit = (delay) => new Promise((resolve) => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).on("close", resolve).resume();
  socket.write("POST /v1/chat/completions HTTP/1.1\\r\\nhost: 127.0.0.1:" + port +
    "\\r\\ncontent-type: application/json\\r\\ncontent-length: " + body.length + "\\r\\n\\r\\n" + body);
  const leave = () => setTimeout(() => socket.destroy(), delay);
  if (delays.length % 4 === 0) leave();
  else socket.once("data", leave);
});
const client = async () => {
  while (delays.length > 0) await visit(delays.pop());
};
Promise.all(Array.from({ length: 24 }, client)).then(() => parentPort.postMessage("done"));
`;

Deno.test("Clients that leave while a chunk is written free everything, and the gateway lives", async () => {
  const random = seededRandom(7);
  let requests = 0;
  await using upstream = await startModelServer((request) => void stream(request, ++requests % 30));
  const access = new CountingAccess();
  await using gateway = gatewayOf({
    endpoints: [{
      name: "a",
      model: "m",
      baseUrl: upstream.baseUrl,
      concurrencyLimit: 100,
      initialConcurrency: 100,
    }],
    failureThreshold: 1e6,
    retryTimes: 0,
  }, { access });
  const server = await serve("127.0.0.1", 0, (request, peer) => gateway.app.fetch(request, peer));
  // The first request loads what the gateway needs, longer than the clients stay.
  await (await gateway.chat("a")).text().catch(() => {});
  const body = JSON.stringify({ model: "a", stream: true, messages: HELLO });
  const delays = Array.from({ length: 600 }, () => 5 + random() * 120);
  const workerData = { port: server.port, body, delays };
  const clients = new Worker(CLIENTS, { eval: true, workerData });
  await new Promise((resolve) => clients.once("message", resolve));
  await clients.terminate();
  assert.ok(requests > 400, `${requests} requests`);
  await gateway.app.drain();
  await upstream.untilOpen(0);
  assert.equal(gateway.app.inFlight, 0);
  assert.equal(access.open, 0);
  assert.deepEqual(gateway.pool.stats.map(({ inFlight }) => inFlight), [0]);
  await server.close();
});

/** Runs `use` while each chunk that is written makes the runtime notice that the client has left, as on Deno. */
async function leavingOnWrite(use: (stream: ClientStream) => Promise<void> | void): Promise<void> {
  const { prototype } = ReadableStreamDefaultController;
  const { enqueue } = prototype;
  let body: ReadableStream | undefined;
  prototype.enqueue = function (chunk) {
    enqueue.call(this, chunk);
    body?.cancel().catch(() => {});
  };
  let left = 0;
  const stream = new ClientStream({
    interval: 60,
    keepAlive: { before: "", between: "" },
    respond(opened) {
      body = opened;
      return new Response();
    },
    onLeave: () => left++,
  });
  try {
    await use(stream);
    assert.ok(left <= 1);
  } finally {
    prototype.enqueue = enqueue;
  }
}

Deno.test("A stream whose client leaves during a write waits for nobody, and ends quietly", async () => {
  const bytes = new TextEncoder().encode("data: 1\n\n");
  await leavingOnWrite((stream) => {
    assert.equal(stream.write(bytes), undefined, "no reader will ever catch up");
    stream.close();
  });
  await leavingOnWrite((stream) => {
    stream.open();
    stream.fail(new Error("broken"), () => bytes);
  });
  await leavingOnWrite((stream) => {
    stream.open();
    stream.expire();
    stream.close();
  });
});
