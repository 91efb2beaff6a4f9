/**
 * The baseline for servers: reads a request and sends a constant answer. Prints its base URL, and exits when
 * its stdin is closed.
 */
import process from "node:process";
import { serve } from "../../lib/runtime/http_server.ts";

const body = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1700000000,
  model: "bench",
  choices: [{
    index: 0,
    message: { role: "assistant", content: "x".repeat(400), refusal: null },
    logprobs: null,
    finish_reason: "stop",
  }],
  usage: { prompt_tokens: 12, completion_tokens: 50, total_tokens: 62 },
});
const headers = { "content-type": "application/json" };

const server = await serve("127.0.0.1", 0, async (request) => {
  await request.json();
  return new Response(body, { headers });
});
process.stdout.write(`http://127.0.0.1:${server.port}/v1\n`);
process.stdin.on("end", () => process.exit(0)).resume();
