/**
 * The server that everything is measured against: it answers every request with the same completion
 * and does nothing else. Not the product's mock. Runs on Bun; ends when its standard input does.
 *
 * Arguments: the length of the answer's text, and the latency in milliseconds.
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

const [length = "200", latency = "0"] = process.argv.slice(2);
const body = new TextEncoder().encode(JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1700000000,
  model: "bench",
  choices: [{
    index: 0,
    message: { role: "assistant", content: "x".repeat(Number(length)), refusal: null },
    logprobs: null,
    finish_reason: "stop",
  }],
  usage: { prompt_tokens: 12, completion_tokens: 50, total_tokens: 62 },
}));
const headers = { "content-type": "application/json" };

const { port } = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    await request.arrayBuffer();
    if (latency !== "0") await new Promise((resolve) => setTimeout(resolve, Number(latency)));
    return new Response(body, { headers });
  },
});
process.stdout.write(`http://127.0.0.1:${port}/v1\n`);
process.stdin.on("end", () => process.exit(0)).resume();
