/**
 * The same requests through the official `openai` package with `p-limit`, as people do by hand.
 *
 * Arguments: base URL, requests, how many at once. Prints the seconds it took.
 */
import process from "node:process";
import OpenAI from "openai";
import pLimit from "p-limit";

const [baseURL, requests, concurrency] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "bench-key" });
const limit = pLimit(Number(concurrency));

const begun = performance.now();
await Promise.all(Array.from({ length: Number(requests) }, (_, i) =>
  limit(async () => {
    const answer = await client.chat.completions.create({
      model: "bench",
      messages: [{ role: "user", content: `Question ${i}: what is the answer?` }],
    });
    if (answer.choices[0].finish_reason !== "stop") throw new Error("not an answer");
  })));
process.stdout.write(`${(performance.now() - begun) / 1000}\n`);
process.exit(0);
