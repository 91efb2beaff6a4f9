/**
 * Decodes a line of a result file in OpenAI's batch format, as OpenAI, vLLM and others write it.
 *
 * Sources: OpenAI API reference, "Batch", "The request output object"; vLLM,
 * `vllm/entrypoints/openai/run_batch.py`: a failed row has a status and a text or an error object in `error`,
 * and no body.
 *
 * @module
 */
import type { RowResult } from "../../batch_api/batch_api.ts";
import { decodeRow } from "../../batch_api/openai/rows.ts";
import { asObject, asText } from "../../json/json.ts";

/** What a line of an imported file is. */
export type ImportedLine =
  | { kind: "result"; result: RowResult }
  /** A row of an exported file, which is no result. */
  | { kind: "request" }
  | { kind: "problem"; problem: string };

/** Decodes a parsed line. */
export function decodeImportedLine(line: unknown): ImportedLine {
  const row = asObject(line);
  if (row === undefined) return { kind: "problem", problem: "it is not a JSON object" };
  if (asText(row.custom_id) === undefined) {
    return { kind: "problem", problem: 'it has no "custom_id"' };
  }
  if (!("response" in row) && !("error" in row)) {
    return asObject(row.body) === undefined
      ? { kind: "problem", problem: 'it has neither a "response" nor an "error"' }
      : { kind: "request" };
  }
  const result = decodeRow(row);
  const hasNothing = result === undefined || result.kind === "answer" && !result.body;
  return hasNothing
    ? { kind: "problem", problem: "its response has no body" }
    : { kind: "result", result };
}
