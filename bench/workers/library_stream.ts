/**
 * The same streams through the library.
 *
 * Arguments: base URL, streams (one after the other), tokens of each. Prints the median seconds to the
 * first token, and the tokens a second.
 */
import process from "node:process";
import { LLMClient } from "../../mod.ts";

const [baseUrl, streams, tokens] = process.argv.slice(2);
const client = new LLMClient({ baseUrl, apiKey: "bench-key", model: "bench" });

const firsts: number[] = [];
let read = 0;
const begun = performance.now();
for (let i = 0; i < Number(streams); i++) {
  const content = `Question ${i}: what is the answer?`;
  const asked = performance.now();
  let first: number | undefined;
  const options = { maxTokens: Number(tokens) };
  const stream = client.chatCompletionsStream([{ role: "user", content }], options);
  for await (const event of stream.events) {
    if (event.type !== "text") continue;
    first ??= performance.now() - asked;
    read++;
  }
  firsts.push(first!);
}
const seconds = (performance.now() - begun) / 1000;
if (read !== Number(streams) * Number(tokens)) throw new Error(`${read} tokens`);
const median = firsts.toSorted((a, b) => a - b)[Math.floor(firsts.length / 2)] / 1000;
process.stdout.write(`${median} ${read / seconds}\n`);
process.exit(0);
