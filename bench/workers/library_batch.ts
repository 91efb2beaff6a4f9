/**
 * The same requests through the library: `iterChatCompletionsBatch` without a result file.
 *
 * Arguments: base URL, requests, how many at once. Prints the seconds it took.
 */
import process from "node:process";
import { LLMClient, type Message } from "../../mod.ts";

const [baseUrl, requests, concurrency] = process.argv.slice(2);

function* questions(): Generator<Message[]> {
  for (let i = 0; i < Number(requests); i++) {
    yield [{ role: "user", content: `Question ${i}: what is the answer?` }];
  }
}

const begun = performance.now();
const client = new LLMClient({
  baseUrl,
  apiKey: "bench-key",
  model: "bench",
  concurrencyLimit: Number(concurrency),
});
for await (const item of client.iterChatCompletionsBatch(questions())) {
  if (item.status !== "success") throw item.error;
}
process.stdout.write(`${(performance.now() - begun) / 1000}\n`);
process.exit(0);
