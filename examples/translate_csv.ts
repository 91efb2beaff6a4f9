/**
 * Translates one column of a CSV file and writes the table with an additional column. Answers are saved in a
 * result file: if interrupted, run it again to translate only the missing rows.
 *
 *     deno run -A examples/translate_csv.ts             # without a key: the built-in mock answers
 *     deno run -A examples/translate_csv.ts menu.csv description French menu.fr.csv
 *
 *     FLEXLLM_BASE_URL=https://api.openai.com/v1 FLEXLLM_API_KEY=… FLEXLLM_MODEL=gpt-5.4-mini \
 *       deno run -A examples/translate_csv.ts
 *
 * In your own project, it needs `deno add npm:csv-parse npm:csv-stringify`.
 */
// deno-lint-ignore-file no-console
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { type BatchInput, LLMClient } from "@flexllm/flexllm";

const [
  input = fileURLToPath(new URL("data/menu.csv", import.meta.url)),
  column = "description",
  language = "French",
  output = "translated.csv",
] = process.argv.slice(2);

const rows: Record<string, string>[] = parse(readFileSync(input, "utf8"), { columns: true });
if (rows.length === 0 || !(column in rows[0])) {
  console.error(`${input} has no column "${column}"`);
  process.exit(1);
}

const { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: apiKey, FLEXLLM_MODEL: model = "mock" } =
  process.env;
await using client = new LLMClient({ provider: baseUrl ? "auto" : "mock", baseUrl, apiKey, model });

const inputs: BatchInput[] = rows.map((row) => [
  { role: "system", content: `Translate to ${language}. Answer with the translation alone.` },
  { role: "user", content: row[column] },
]);
const { results, summary } = await client.chatCompletionsBatch(inputs, {
  output: `${output}.jsonl`,
});

const translated = rows.map((row, i) => {
  const item = results[i];
  // An empty cell is easier to find than a missing row.
  const text = item.status === "success" ? item.result.content : "";
  return { ...row, [`${column} (${language})`]: text };
});
writeFileSync(output, stringify(translated, { header: true }));
const { succeeded, restored, failed } = summary;
console.log(`${output}: ${succeeded} translated, ${restored} restored, ${failed} failed`);
if (failed > 0) console.log("Run it again to retry the failed rows.");
