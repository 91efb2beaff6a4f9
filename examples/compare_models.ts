/**
 * Sends the same questions to several models and compares how many answers contain the expected word, what
 * they cost and how long they took.
 *
 *     deno run -A examples/compare_models.ts            # without a key: the built-in mock answers
 *
 *     FLEXLLM_BASE_URL=https://openrouter.ai/api/v1 FLEXLLM_API_KEY=… \
 *       deno run -A examples/compare_models.ts openai/gpt-5.4-mini qwen/qwen3-32b
 *
 * In your own project, it needs `deno add npm:csv-parse`.
 */
// deno-lint-ignore-file no-console
import { readFileSync } from "node:fs";
import process from "node:process";
import { parse } from "csv-parse/sync";
import { LLMClient } from "@flexllm/flexllm";

const models = process.argv.slice(2);
if (models.length === 0) models.push("mock-small", "mock-large");

const file = new URL("data/capitals.csv", import.meta.url);
const quiz: { question: string; answer: string }[] = parse(readFileSync(file, "utf8"), {
  columns: true,
});

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey } = process.env;
await using client = new LLMClient({ provider: baseUrl ? "auto" : "mock", baseUrl, apiKey });

const rows = [];
for (const model of models) {
  const { results, summary } = await client.chatCompletionsBatch(
    quiz.map(({ question }) => [
      { role: "system", content: "Answer in one word." },
      { role: "user", content: question },
    ]),
    { model },
  );
  const answers = results.map((item) => item.status === "success" ? item.result : null);
  const right = answers.filter((answer, i) => answer?.content.includes(quiz[i].answer)).length;
  const seconds = answers.reduce((sum, answer) => sum + (answer?.latency ?? 0), 0);
  rows.push({
    model,
    right: `${right}/${quiz.length}`,
    failed: summary.failed,
    tokens: summary.promptTokens + summary.completionTokens,
    // An unknown price is not 0.
    cost: summary.unpriced > 0 ? "unknown" : `$${summary.cost.toFixed(5)}`,
    "mean latency": `${(seconds / Math.max(1, summary.succeeded)).toFixed(2)} s`,
  });
}
console.table(rows);
