/**
 * Sends the requests with the official `openai` package and `p-limit`, as in hand-written scripts.
 *
 * Arguments: base URL, requests, concurrency. Prints the duration in seconds.
 */
import process from "node:process";
import OpenAI from "openai";
import pLimit from "p-limit";

const [baseURL, requests, concurrency] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "bench-key" });
const limit = pLimit(Number(concurrency));

const start = performance.now();
await Promise.all(Array.from({ length: Number(requests) }, (_, i) =>
  limit(async () => {
    const answer = await client.chat.completions.create({
      model: "bench",
      messages: [{ role: "user", content: `Question ${i}: what is the answer?` }],
    });
    if (answer.choices[0].finish_reason !== "stop") throw new Error("not an answer");
  })));
process.stdout.write(`${(performance.now() - start) / 1000}\n`);
process.exit(0);
