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
import { asNumber, asObject, asText, type Json } from "../../json/json.ts";

/** What a line of an imported file is. */
export type ImportedLine =
  | { kind: "result"; result: RowResult }
  /** A row of an exported file, which is no result. */
  | { kind: "request" }
  | { kind: "problem"; problem: string };

/** The codes of rows that were never run. */
const NOT_RUN: Readonly<Record<string, "expired" | "cancelled">> = {
  batch_expired: "expired",
  batch_cancelled: "cancelled",
};

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function decodeResult(id: string, row: Json): RowResult | undefined {
  const response = asObject(row.response);
  const status = asNumber(response?.status_code);
  const body = response?.body;
  const { error } = row;
  const isSuccess = status === undefined || (status >= 200 && status < 300);
  if (isSuccess && isNothing(error)) {
    return isNothing(body) ? undefined : { id, kind: "answer", body };
  }
  const notRun = NOT_RUN[asText(asObject(error)?.code) ?? ""];
  if (response === undefined && notRun !== undefined) {
    return { id, kind: "not_run", reason: notRun };
  }
  const failure = isNothing(body) ? error ?? `status ${status}` : body;
  return { id, kind: "error", status: isSuccess ? undefined : status, body: failure };
}

/** Decodes a parsed line. */
export function decodeImportedLine(line: unknown): ImportedLine {
  const row = asObject(line);
  if (row === undefined) return { kind: "problem", problem: "it is not a JSON object" };
  const id = asText(row.custom_id);
  if (id === undefined) return { kind: "problem", problem: 'it has no "custom_id"' };
  if (!("response" in row) && !("error" in row)) {
    return asObject(row.body) === undefined
      ? { kind: "problem", problem: 'it has neither a "response" nor an "error"' }
      : { kind: "request" };
  }
  const result = decodeResult(id, row);
  return result === undefined
    ? { kind: "problem", problem: "its response has no body" }
    : { kind: "result", result };
}
