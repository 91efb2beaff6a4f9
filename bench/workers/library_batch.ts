/**
 * Sends the requests with `iterChatCompletionsBatch`, without a result file.
 *
 * Arguments: base URL, requests, concurrency. Prints the duration in seconds.
 */
import process from "node:process";
import { LLMClient, type Message } from "../../mod.ts";

const [baseUrl, requests, concurrency] = process.argv.slice(2);

function* questions(): Generator<Message[]> {
  for (let i = 0; i < Number(requests); i++) {
    yield [{ role: "user", content: `Question ${i}: what is the answer?` }];
  }
}

const start = performance.now();
const client = new LLMClient({
  baseUrl,
  apiKey: "bench-key",
  model: "bench",
  concurrencyLimit: Number(concurrency),
});
for await (const item of client.iterChatCompletionsBatch(questions())) {
  if (item.status !== "success") throw item.error;
}
process.stdout.write(`${(performance.now() - start) / 1000}\n`);
process.exit(0);
