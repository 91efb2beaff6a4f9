/**
 * Half price: submits questions to the provider's batch API now, and collects the answers later. Run it again at any
 * time, also after Ctrl-C or on another day: nothing is submitted twice.
 *
 *     deno run -A examples/provider_batch.ts            # without a key: the built-in mock, which answers at once
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=sk-… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/provider_batch.ts
 */
// deno-lint-ignore-file no-console
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { LLMClient } from "@flexllm/flexllm";

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
await using client = new LLMClient({
  provider: baseUrl ? "auto" : "mock",
  baseUrl,
  apiKey,
  model,
});

const file = new URL("questions.jsonl", import.meta.url);
const inputs = readFileSync(file, "utf8").trim().split("\n").map((line) => {
  const { q, question = q, prompt = question } = JSON.parse(line);
  return [{ role: "user" as const, content: prompt as string }];
});

// The result file identifies the batch; the log of its jobs is next to it.
const output = "answers.jsonl";
// The mock has no reason to wait.
const pollInterval = baseUrl ? undefined : 0.05;
console.log(existsSync(output) ? `continuing ${output}` : `submitting ${inputs.length} questions`);
await using batch = await client.submitBatch(inputs, {
  output,
  pollInterval,
  maxTokens: 100,
  onNote: (text) => console.error(text),
});

const { parts } = await batch.status();
for (const { job, state, rows, expiresAt } of parts) {
  console.log(`${job ?? "no job yet"}: ${state}, ${rows} rows, until ${expiresAt?.toISOString()}`);
}

// Another program can do this instead, with client.openBatch(output).
const results = batch.results();
for await (const item of results) {
  if (item.status === "error") console.error(`question ${item.index}: ${item.error.message}`);
}
const { succeeded, restored, failed } = results.summary;
console.log(`${succeeded + restored} of ${inputs.length} answered, ${failed} failed`);
