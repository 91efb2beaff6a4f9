/**
 * Labels support tickets by topic and urgency. Each answer is JSON that a zod schema validates; answers
 * that don't match are retried, and labels have the schema's type.
 *
 *     deno run -A examples/classify_tickets.ts      # without a key: the built-in mock answers
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/classify_tickets.ts
 *
 * In your own project, it needs `deno add npm:zod`.
 */
// deno-lint-ignore-file no-console
import { readFileSync } from "node:fs";
import process from "node:process";
import { z } from "zod";
import { LLMClient } from "@flexllm/flexllm";

interface Ticket {
  id: string;
  text: string;
}

const Label = z.object({
  topic: z.enum(["billing", "fault", "wish", "question", "praise"]),
  urgent: z.boolean().describe("Whether somebody cannot work until it is solved"),
});

const file = new URL("data/tickets.jsonl", import.meta.url);
const tickets: Ticket[] = readFileSync(file, "utf8").trim().split("\n")
  .map((line) => JSON.parse(line));

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
await using client = new LLMClient({ provider: baseUrl ? "auto" : "mock", baseUrl, apiKey, model });

const { results, summary } = await client.chatCompletionsBatch(
  tickets.map(({ text }) => [
    { role: "system", content: "Label the support ticket." },
    { role: "user", content: text },
  ]),
  { responseFormat: Label, schemaRetries: 2 },
);
for (const [i, item] of results.entries()) {
  if (item.status === "error") {
    console.log(`${tickets[i].id}  failed: ${item.error.message}`);
    continue;
  }
  const { parsed } = item.result;
  // A model that refuses to answer has no label.
  const { topic, urgent } = parsed ?? { topic: "none", urgent: false };
  console.log(`${tickets[i].id}  ${topic.padEnd(8)}  ${urgent ? "urgent" : ""}`.trimEnd());
}
console.log(`${summary.succeeded} labelled, ${summary.failed} failed`);
