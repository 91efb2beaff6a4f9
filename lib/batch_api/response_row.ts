/**
 * Decodes result rows in the form of OpenAI's batches, which other services imitate.
 *
 * @module
 */
import { asCount, asObject, asText, type Json } from "../json/json.ts";
import type { RowResult } from "./batch_api.ts";

/** The error codes of rows that were never processed. */
const NOT_RUN: Record<string, "expired" | "cancelled"> = {
  batch_expired: "expired",
  batch_cancelled: "cancelled",
};

/** An error in the form of OpenAI's API. */
export function errorBody(error: unknown): Json {
  const object = asObject(error);
  if (object?.error !== undefined) return object;
  if (object !== undefined) return { error: object };
  return {
    error: { message: asText(error) ?? "the server returned neither an answer nor an error" },
  };
}

/**
 * Decodes a row with an answer in `response.body`, or in `response` itself; `undefined` if it has no id.
 */
export function decodeResponseRow(row: Json | undefined): RowResult | undefined {
  const id = asText(row?.custom_id);
  if (row === undefined || id === undefined) return undefined;
  const response = asObject(row.response);
  const status = asCount(response?.status_code);
  const error = row.error ?? undefined;
  const reason = NOT_RUN[asText(asObject(error)?.code) ?? ""];
  if (reason !== undefined && response === undefined) return { id, kind: "not_run", reason };
  const isSuccess = status === undefined || (status >= 200 && status <= 299);
  if (response === undefined || error !== undefined || !isSuccess) {
    return { id, kind: "error", status, body: errorBody(error ?? response?.body) };
  }
  return { id, kind: "answer", body: status === undefined ? response : response.body };
}
