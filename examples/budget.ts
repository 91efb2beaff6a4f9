/**
 * Never spends more than a given amount: the maximum cost of each request is reserved before it is sent.
 * flexllm knows the prices of known services; this example sets its own.
 *
 *     deno run -A examples/budget.ts 0.002              # without a key: the built-in mock, which is free
 *
 *     FLEXLLM_BASE_URL=http://localhost:8000/v1 FLEXLLM_MODEL=qwen3 deno run -A examples/budget.ts 1
 */
// deno-lint-ignore-file no-console
import { readFileSync } from "node:fs";
import process from "node:process";
import { BudgetExceededError, CostTracker, LLMClient } from "@flexllm/flexllm";

const limit = Number(process.argv[2] ?? 0.002);
const costTracker = new CostTracker({
  limit,
  warning: limit / 2,
  onWarning: (spent) => console.error(`half of the budget is spent: $${spent.toFixed(5)}`),
});

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
await using client = new LLMClient({
  provider: baseUrl ? "auto" : "mock",
  baseUrl,
  apiKey,
  model,
  costTracker,
  // USD per million tokens.
  prices: [{ model, input: 0.25, output: 2 }],
});

const file = new URL("questions.jsonl", import.meta.url);
const questions = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));

let answers = 0;
try {
  for (const { q, question = q, prompt = question } of questions) {
    // maxTokens bounds the cost of a request.
    await client.chatCompletions([{ role: "user", content: prompt }], { maxTokens: 100 });
    answers++;
  }
} catch (error) {
  if (!(error instanceof BudgetExceededError)) throw error;
  console.error(error.message);
}
console.log(`${answers} of ${questions.length} answered for $${costTracker.spent.toFixed(5)}`);
