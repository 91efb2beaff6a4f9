/**
 * The server that the benchmarks send requests to: it answers each with the same completion. It is not
 * flexllm's mock. Runs on Bun, and exits when its stdin is closed.
 *
 * Arguments: the length of the answer's text, the latency in milliseconds, and `chunked` for answers
 * without a content-length. A streamed answer has as many tokens as `max_tokens` in the request.
 *
 * `GET /v1/arrivals` returns how many requests arrived in each {@link BIN} since the first, and starts over.
 */
import process from "node:process";

interface Bun {
  serve(options: {
    port: number;
    hostname: string;
    fetch: (request: Request) => Response | Promise<Response>;
  }): { port: number };
}
const { Bun } = globalThis as unknown as { Bun: Bun };

const [length = "200", latency = "0", framing] = process.argv.slice(2);
const encoder = new TextEncoder();
const usage = { prompt_tokens: 12, completion_tokens: 50, total_tokens: 62 };
const head = { id: "chatcmpl-bench", created: 1700000000, model: "bench" };
const body = encoder.encode(JSON.stringify({
  ...head,
  object: "chat.completion",
  choices: [{
    index: 0,
    message: { role: "assistant", content: "x".repeat(Number(length)), refusal: null },
    logprobs: null,
    finish_reason: "stop",
  }],
  usage,
}));
const headers = { "content-type": "application/json" };

function event(fields: object): string {
  return `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...fields })}\n\n`;
}

const TOKEN = event({
  choices: [{ index: 0, delta: { content: " token" }, logprobs: null, finish_reason: null }],
});
const END = event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }) +
  event({ choices: [], usage }) + "data: [DONE]\n\n";
/** Tokens per write, as a network delivers those of a fast server. */
const TOKENS_PER_WRITE = 16;

/** A stream that repeats one token. The first is sent on its own. */
function stream(tokens: number): Response {
  let left = tokens;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const count = left === tokens ? 1 : Math.min(left, TOKENS_PER_WRITE);
      left -= count;
      controller.enqueue(encoder.encode(TOKEN.repeat(count) + (left === 0 ? END : "")));
      if (left === 0) controller.close();
    },
  });
  return new Response(source, { headers: { "content-type": "text/event-stream" } });
}

/** Requests that arrived in each tenth of a second since the first. */
let arrivals: number[] = [];
let firstAt: number | undefined;
/** Milliseconds. */
const BIN = 100;

function countArrival(): void {
  const now = performance.now();
  firstAt ??= now;
  const bin = Math.floor((now - firstAt) / BIN);
  arrivals[bin] = (arrivals[bin] ?? 0) + 1;
}

/** Returns the counts, and starts over. */
function takeArrivals(): Response {
  const counts = Array.from(arrivals, (count = 0) => count);
  arrivals = [];
  firstAt = undefined;
  return Response.json(counts);
}

/** The answer with chunked encoding, as most services send it. */
function chunked(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(body);
      controller.close();
    },
  });
}

const { port } = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    if (request.method === "GET") return takeArrivals();
    countArrival();
    const text = await request.text();
    if (latency !== "0") await new Promise((resolve) => setTimeout(resolve, Number(latency)));
    if (!text.includes('"stream":true')) {
      return new Response(framing === "chunked" ? chunked() : body, { headers });
    }
    return stream(Number(/"max_tokens":(\d+)/.exec(text)![1]));
  },
});
process.stdout.write(`http://127.0.0.1:${port}/v1\n`);
process.stdin.on("end", () => process.exit(0)).resume();
