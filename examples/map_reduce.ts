/**
 * Answers a question about a document of any length: extracts what each section says about the question
 * (map), then combines the findings into one answer with sources (reduce).
 *
 *     deno run -A examples/map_reduce.ts                # without a key: the built-in mock answers
 *     deno run -A examples/map_reduce.ts report.md "How did the fees change?"
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/map_reduce.ts
 */
// deno-lint-ignore-file no-console
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type BatchRecord, LLMClient } from "@flexllm/flexllm";

const [
  file = fileURLToPath(new URL("data/harbour_report.md", import.meta.url)),
  question = "What was done for the environment, and who pays for it?",
] = process.argv.slice(2);

/** The sections of a Markdown text, each with its heading. */
function* sections(text: string): Generator<BatchRecord> {
  for (const section of text.split(/^(?=## )/m)) {
    const title = /^## (.*)/.exec(section)?.[1];
    if (title === undefined) continue;
    yield {
      metadata: { title },
      messages: [
        {
          role: "system",
          content: "Quote what the section says about the question, or answer NOTHING.",
        },
        { role: "user", content: `Question: ${question}\n\nSection:\n${section}` },
      ],
    };
  }
}

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
await using client = new LLMClient({ provider: baseUrl ? "auto" : "mock", baseUrl, apiKey, model });

// Sections are read only as fast as they are answered, so memory stays flat.
const findings: { index: number; text: string }[] = [];
for await (const item of client.iterChatCompletionsBatch(sections(readFileSync(file, "utf8")))) {
  if (item.status === "error") throw item.error;
  const { content } = item.result;
  if (content.trim() === "NOTHING") continue;
  findings.push({ index: item.index, text: `[${item.metadata?.title}] ${content}` });
}
// Items arrive as they finish. Sorted, the same findings give the same prompt.
findings.sort((a, b) => a.index - b.index);
console.error(`${findings.length} sections are relevant`);

const { content } = await client.chatCompletions([
  { role: "system", content: "Answer only from the findings, and name the sections in brackets." },
  {
    role: "user",
    content: `Question: ${question}\n\nFindings:\n${findings.map(({ text }) => text).join("\n")}`,
  },
]);
console.log(content);
