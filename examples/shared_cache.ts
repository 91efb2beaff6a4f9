/**
 * Shares a response cache between processes: an answer is paid for once. Run it twice, or several times in
 * parallel.
 *
 *     deno run -A examples/shared_cache.ts & deno run -A examples/shared_cache.ts; wait
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/shared_cache.ts answers.sqlite
 */
// deno-lint-ignore-file no-console
import { readFileSync } from "node:fs";
import process from "node:process";
import { LLMClient } from "@flexllm/flexllm";

const path = process.argv[2] ?? "answers.sqlite";

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
await using client = new LLMClient({
  provider: baseUrl ? "auto" : "mock",
  baseUrl,
  apiKey,
  model,
  cache: {
    store: "sqlite",
    path,
    ttl: 7 * 24 * 60 * 60,
    // Separates these answers from those of other versions of the prompts.
    namespace: "prompts-v1",
    // A broken cache makes the run slower but never wrong.
    onWarning: (message) => console.error(message),
  },
});

const file = new URL("questions.jsonl", import.meta.url);
const questions = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));

const { summary } = await client.chatCompletionsBatch(
  questions.map(({ q, question = q, prompt = question }) => [{ role: "user", content: prompt }]),
);
console.log(`${summary.succeeded} answers, ${summary.cached} of them from ${path}`);
