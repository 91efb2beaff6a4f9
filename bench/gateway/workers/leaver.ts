/**
 * Measures how long after its client has left a gateway ends the request to the upstream server. It is both the
 * client and the upstream server, so that one clock measures both ends. Runs on Bun.
 *
 * Prints the base URL of its server; then each line of its stdin is a {@link LeavePlan} as JSON, answered by a
 * line with the times in ms. Exits when its stdin is closed.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { createInterface } from "node:readline";
import { Bun, type BunSocket } from "./bun_sockets.ts";
import { ClientConnection, requestText, type Target } from "./client_connection.ts";

/** When the client leaves: before the headers of a stream, in the middle of it, or during a whole answer. */
export type LeaveTime = "before headers" | "mid-stream" | "not streamed";

/** How often a client leaves, and when. */
export interface LeavePlan {
  target: Target;
  when: LeaveTime;
  times: number;
}

const HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const TOKEN = `data: ${
  JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: 1700000000,
    model: "bench",
    choices: [{ index: 0, delta: { content: " token" }, logprobs: null, finish_reason: null }],
  })
}\n\n`;
const FIRST_PART = `${HEAD}${TOKEN.length.toString(16)}\r\n${TOKEN}\r\n`;

let sendsToken = false;
let onRequest: (() => void) | undefined;
let onClose: (() => void) | undefined;

/** Whether a request is waiting on a connection, and how much of it has arrived. */
interface Received {
  text: string;
  isWaiting: boolean;
}

function receive(socket: BunSocket<Received>, bytes: Uint8Array): void {
  const { data } = socket;
  data.text += Buffer.from(bytes).toString("latin1");
  const end = data.text.indexOf("\r\n\r\n");
  if (end < 0) return;
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(data.text)?.[1] ?? 0);
  if (data.text.length < end + 4 + length) return;
  data.isWaiting = true;
  if (sendsToken) socket.write(FIRST_PART);
  onRequest?.();
}

const { port } = Bun.listen<Received>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: (socket) => {
      socket.data = { text: "", isWaiting: false };
    },
    data: receive,
    close: ({ data }) => {
      if (data?.isWaiting) onClose?.();
    },
  },
});

/** Longest wait for the end of an upstream request, in ms. */
const PATIENCE = 10_000;

async function leave(target: Target, when: LeaveTime): Promise<number> {
  sendsToken = when === "mid-stream";
  const arrived = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number>();
  onRequest = sendsToken ? undefined : arrived.resolve;
  onClose = () => ended.resolve(performance.now());
  const connection = await ClientConnection.open(target);
  connection.onData = (part) => {
    if (part.includes(" token")) arrived.resolve();
  };
  connection.send(requestText(target, { stream: when !== "not streamed" })).catch(arrived.reject);
  await arrived.promise;
  // The gateway has nothing to do for a moment, as with a real model.
  await new Promise((resolve) => setTimeout(resolve, 5));
  const start = performance.now();
  connection.leave();
  const timer = setTimeout(() => ended.resolve(Infinity), PATIENCE);
  const time = await ended.promise - start;
  clearTimeout(timer);
  return time;
}

process.stdout.write(`http://127.0.0.1:${port}/v1\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const { target, when, times } = JSON.parse(line) as LeavePlan;
  const figures: number[] = [];
  for (let i = 0; i < times; i++) figures.push(await leave(target, when));
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
process.exit();
