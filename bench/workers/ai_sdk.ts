/**
 * Sends the requests with the `ai` package and `p-limit`, as in hand-written scripts.
 *
 * Arguments: base URL, requests, concurrency. Prints the duration in seconds.
 */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";
import process from "node:process";
import pLimit from "p-limit";

const [baseURL, requests, concurrency] = process.argv.slice(2);
const model = createOpenAICompatible({ name: "bench", baseURL, apiKey: "bench-key" })("bench");
const limit = pLimit(Number(concurrency));

const start = performance.now();
await Promise.all(Array.from({ length: Number(requests) }, (_, i) =>
  limit(async () => {
    const prompt = `Question ${i}: what is the answer?`;
    const { finishReason } = await generateText({ model, prompt });
    if (finishReason !== "stop") throw new Error("not an answer");
  })));
process.stdout.write(`${(performance.now() - start) / 1000}\n`);
process.exit(0);
