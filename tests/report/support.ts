/** Result files for tests of reports. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CollectOptions, collectReport, type ReportData } from "../../lib/report/collect.ts";
import { ResultReader } from "../../lib/results/result_reader.ts";
import { openResults } from "../../lib/results/result_source.ts";
import { type PageOptions, reportPage } from "../../lib/report/page/page.ts";

/** The start of all results. */
export const START = Date.parse("2026-11-27T09:00:00.000Z");

/** A line of a result file: a successful result with `changes`. */
export function result(index: number, changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    index,
    output: `answer ${index}`,
    status: "success",
    input: [{ role: "user", content: `question ${index}` }],
    usage: { prompt_tokens: 10, completion_tokens: 20 },
    model: "mock",
    cost: 0.001,
    at: new Date(START + index * 1000).toISOString(),
    latency: 1,
    finish_reason: "stop",
    attempts: 1,
    endpoint: "http://gpu1/v1",
    ...changes,
  });
}

/** A line of a failed result. */
export function failure(index: number, code: string, error: string): string {
  return JSON.stringify({
    index,
    output: null,
    status: "error",
    input: [{ role: "user", content: `question ${index}` }],
    error,
    error_code: code,
    at: new Date(START + index * 1000).toISOString(),
    attempts: 3,
  });
}

/** Writes lines to the file `name` in `folder`. Returns its path. */
export function writeLines(folder: string, name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return path;
}

/** Collects the data of result files. */
export async function collect(
  paths: readonly string[],
  options: Partial<CollectOptions> = {},
): Promise<ReportData> {
  const sources = await openResults(paths);
  try {
    const defaults = { content: true, redact: (text: string) => text };
    return collectReport(new ResultReader(sources), { ...defaults, ...options });
  } finally {
    for (const source of sources) source.close();
  }
}

/** Renders the page of result files. */
export async function pageOf(
  paths: readonly string[],
  options: Partial<PageOptions & CollectOptions> = {},
): Promise<string> {
  const data = await collect(paths, options);
  return await reportPage(data, {
    title: "a report",
    version: "1.2.3",
    now: START,
    content: true,
    retry: ["flexllm batch INPUT -o out.jsonl --only-failed"],
    again: ["flexllm batch INPUT -o out.jsonl"],
    redact: (text) => text,
    ...options,
  });
}
