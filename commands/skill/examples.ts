/**
 * The commands and programs that the skill shows. The tests run each of them.
 *
 * @module
 */

/** A command, and what it is for. */
export interface CommandExample {
  purpose: string;
  command: string;
}

/** One-off prompts. */
export const PROMPT_EXAMPLES: readonly CommandExample[] = [
  { purpose: "only the answer on stdout", command: 'flexllm ask "What is Python?"' },
  {
    purpose: "stdin comes before the prompt",
    command: 'echo "The meeting is at noon." | flexllm ask "When is it?" -s "Be brief."',
  },
  {
    purpose: "text, images, PDFs, audio, web pages, patterns",
    command: 'flexllm ask "Summarize." -f reviews.csv',
  },
  {
    purpose: "validated JSON on stdout",
    command: 'flexllm ask "A river" --schema "name, length_km int, countries [string]"',
  },
  {
    purpose: "answer, usage, cost and finish reason",
    command: 'flexllm ask "Name three rivers" --json',
  },
];

/** A batch from the estimate to the results. */
export const BATCH_EXAMPLES: readonly CommandExample[] = [
  {
    purpose: "tokens and cost; sends nothing",
    command: "flexllm batch questions.jsonl -o answers.jsonl --estimate --max-tokens 300",
  },
  {
    purpose: "try a few records",
    command: "flexllm batch questions.jsonl -o answers.jsonl --limit 2",
  },
  {
    purpose: "the rest; the same command resumes",
    command: "flexllm batch questions.jsonl -o answers.jsonl --json",
  },
  {
    purpose: "half price, answers within hours: the provider's batch API; rerun to collect",
    command: "flexllm batch questions.jsonl -o cheap.jsonl --via provider",
  },
  {
    purpose: "the state of its jobs; exit code 5 while they are unfinished",
    command: "flexllm batch status cheap.jsonl",
  },
  {
    purpose: "cancel them and collect the rows that are done",
    command: "flexllm batch cancel cheap.jsonl -y",
  },
  {
    purpose: "failures by reason",
    command: "flexllm results answers.jsonl --failed",
  },
  {
    purpose: "a prompt from the columns of a table, structured answers",
    command: 'flexllm batch reviews.csv -o moods.jsonl --template "The mood of: {{text}}" ' +
      '--schema "mood (good|bad), score float"',
  },
  {
    purpose: "each file is a record; its path is in metadata.file",
    command: "flexllm batch 'photos/*.jpg' -o captions.jsonl --template \"Describe this picture.\"",
  },
  {
    purpose: "several models; each line has requested_model",
    command: "flexllm batch questions.jsonl -o compared.jsonl -m gpt-5.4-mini -m claude-haiku-4-5",
  },
];

/** Saved prompts. */
export const TEMPLATE_EXAMPLES: readonly CommandExample[] = [
  {
    purpose: "save a prompt",
    command:
      'flexllm template save translate --prompt "Translate to {{language=French}}: {{input}}"',
  },
  {
    purpose: "use it once",
    command: 'flexllm ask --as translate --var language=German "Good morning"',
  },
  {
    purpose: "or for every record",
    command: "flexllm batch questions.jsonl -o translated.jsonl --as translate",
  },
];

/** What to check when something fails. */
export const SETUP_EXAMPLES: readonly CommandExample[] = [
  { purpose: "effective settings and where they come from", command: "flexllm config show" },
  { purpose: "connection, key, answer, stream", command: "flexllm test" },
  { purpose: "the models of the server", command: "flexllm models" },
  { purpose: "the JSON Schema of a list of fields", command: 'flexllm schema "name, age? int"' },
];

/** A program that uses the library. */
export interface ProgramExample {
  purpose: string;
  code: string;
}

/** The programs. They use the built-in mock model, so they run without a key. */
export const PROGRAM_EXAMPLES: readonly ProgramExample[] = [
  {
    purpose: "One call, a stream and a resumable batch",
    code: `import { LLMClient } from "@flexllm/flexllm";

await using client = new LLMClient({ provider: "mock", model: "mock", concurrencyLimit: 20 });

const { content, usage, cost } = await client.chatCompletions(
  [{ role: "user", content: "What is Python?" }],
  { temperature: 0, maxTokens: 200 },
);
console.log(content, usage?.totalTokens, cost);

for await (const text of client.chatCompletionsStream([{ role: "user", content: "Tell a story." }])) {
  console.log(text);
}

const prompts = ["red", "green"].map((color) => [
  { role: "user" as const, content: \`Name three things that are \${color}.\` },
]);
// The file makes the batch resumable: a second run sends only what is missing.
for await (const item of client.iterChatCompletionsBatch(prompts, { output: "colors.jsonl" })) {
  if (item.status === "success") console.log(item.index, item.result.content);
  else console.error(item.index, item.error.code, item.error.message);
}`,
  },
  {
    purpose: "Several servers, structured answers and errors",
    code: `import { FlexLLMError, LLMClientPool } from "@flexllm/flexllm";

await using pool = new LLMClientPool({
  endpoints: [
    { provider: "mock", model: "mock", concurrencyLimit: 50 },
    { provider: "mock", model: "mock", concurrencyLimit: 20 },
  ],
});

const schema = {
  type: "object",
  properties: { mood: { type: "string", enum: ["good", "bad"] } },
  required: ["mood"],
  additionalProperties: false,
};
try {
  const { parsed } = await pool.chatCompletions([{ role: "user", content: "The mood of: Lovely!" }], {
    responseFormat: { type: "json_schema", json_schema: { name: "mood", schema } },
    schemaRetries: 2,
  });
  console.log(parsed);
} catch (error) {
  if (error instanceof FlexLLMError) console.error(error.code, error.message, error.hint);
  else throw error;
}`,
  },
];
