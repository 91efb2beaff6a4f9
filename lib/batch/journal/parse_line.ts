/**
 * Parses one line of a result file.
 *
 * @module
 */
import type { ResultRecord } from "./result_line.ts";

/** A larger index is a mistake: no input has that many records. */
export const MAX_INDEX = 100_000_000;

function recordProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return "it is not a JSON object";
  }
  const { index, status, requested_model } = value as Partial<ResultRecord>;
  if (!Number.isSafeInteger(index) || index! < 0) return 'its "index" is not an integer ≥ 0';
  if (index! > MAX_INDEX) return "its index is too large";
  if (status !== "success" && status !== "error") {
    return 'its "status" is neither "success" nor "error"';
  }
  if (requested_model !== undefined && typeof requested_model !== "string") {
    return 'its "requested_model" is not a string';
  }
  return undefined;
}

/** The record in a line of a result file, or the reason why it is not one: "it is not JSON". */
export function parseLine(line: string): ResultRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is not JSON";
  }
  return recordProblem(value) ?? value as ResultRecord;
}
