/**
 * Sorts support tickets by topic and urgency. Each answer is JSON that was checked against a schema; one
 * that does not fit is asked for again.
 *
 *     deno run -A examples/classify_tickets.ts      # no key: the embedded mock answers
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/classify_tickets.ts
 */
// deno-lint-ignore-file no-console
import { readFileSync } from "node:fs";
import process from "node:process";
import { LLMClient, type ResponseFormat } from "@flexllm/flexllm";

interface Ticket {
  id: string;
  text: string;
}

interface Label {
  topic: "billing" | "fault" | "wish" | "question" | "praise";
  urgent: boolean;
}

const responseFormat: ResponseFormat = {
  type: "json_schema",
  json_schema: {
    name: "label",
    strict: true,
    schema: {
      type: "object",
      properties: {
        topic: { enum: ["billing", "fault", "wish", "question", "praise"] },
        urgent: { type: "boolean", description: "Whether somebody cannot work until it is solved" },
      },
      required: ["topic", "urgent"],
      additionalProperties: false,
    },
  },
};

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
  { responseFormat, schemaRetries: 2 },
);
for (const [i, item] of results.entries()) {
  if (item.status === "error") {
    console.log(`${tickets[i].id}  failed: ${item.error.message}`);
    continue;
  }
  const { topic, urgent } = item.result.parsed as Label;
  console.log(`${tickets[i].id}  ${topic.padEnd(8)}  ${urgent ? "urgent" : ""}`.trimEnd());
}
console.log(`${summary.succeeded} labelled, ${summary.failed} failed`);
