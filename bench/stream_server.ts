/**
 * A server of slow streams: each sends a token every 50 ms, with the time at which it was sent as its text. Runs on
 * Bun, and exits when its stdin is closed.
 *
 * Argument: the tokens of a stream.
 */
import process from "node:process";

/** A stream whose writes go to the connection immediately. */
interface DirectController {
  write(text: string): void;
  flush(): void;
  end(): void;
}
interface Bun {
  serve(options: {
    port: number;
    hostname: string;
    idleTimeout: number;
    fetch: (request: Request) => Promise<Response>;
  }): { port: number };
}
const { Bun } = globalThis as unknown as { Bun: Bun };

const tokens = Number(process.argv[2]);
const INTERVAL_MS = 50;
/** The streams are in as many groups, which take turns: a timer for each stream would be slow. */
const GROUPS = 10;

const head =
  '{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench",';
const before = `data: ${head}"choices":[{"index":0,"delta":{"content":"`;
const after = '"},"logprobs":null,"finish_reason":null}]}\n\n';
const end = `data: ${head}"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n` +
  `data: ${head}"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":${tokens}}}\n\n` +
  "data: [DONE]\n\n";

class PacedStream {
  #left = tokens;

  constructor(readonly controller: DirectController, readonly onEnd: () => void) {}

  /** Sends a token; returns whether there are more. */
  send(): boolean {
    this.controller.write(`${before}${Date.now()}${after}`);
    if (--this.#left > 0) {
      this.controller.flush();
      return true;
    }
    this.controller.write(end);
    this.controller.end();
    this.onEnd();
    return false;
  }
}

const groups = Array.from({ length: GROUPS }, () => new Set<PacedStream>());
let opened = 0;
let turn = 0;
setInterval(() => {
  const group = groups[turn++ % GROUPS];
  for (const stream of group) {
    try {
      if (!stream.send()) group.delete(stream);
    } catch {
      // The client has left.
      group.delete(stream);
      stream.onEnd();
    }
  }
}, INTERVAL_MS / GROUPS);

const { port } = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  async fetch(request) {
    await request.text();
    const group = groups[opened++ % GROUPS];
    const pull = (controller: DirectController) =>
      new Promise<void>((resolve) => group.add(new PacedStream(controller, resolve)));
    const body = new ReadableStream({ type: "direct", pull } as unknown as UnderlyingSource);
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
});
process.stdout.write(`http://127.0.0.1:${port}/v1\n`);
process.stdin.on("end", () => process.exit()).resume();
