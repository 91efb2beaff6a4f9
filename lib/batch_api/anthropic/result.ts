/**
 * Decodes the results of Anthropic's message batches.
 *
 * @module
 */
import { asObject, asText, type Json } from "../../json/json.ts";
import { ERROR_STATUSES } from "../../protocols/anthropic/error_statuses.ts";
import type { RowResult } from "../batch_api.ts";

function decodeError(id: string, error: Json | undefined): RowResult {
  const details = asObject(error?.error) ?? error;
  const body = { type: "error", ...error, error: details ?? { message: "no reason was given" } };
  return { id, kind: "error", status: ERROR_STATUSES[asText(details?.type) ?? ""], body };
}

/** Decodes one line; `undefined` if it is not the result of a row. */
export function decodeRow(line: Json | undefined): RowResult | undefined {
  const id = asText(line?.custom_id);
  const result = asObject(line?.result);
  if (id === undefined || result === undefined) return undefined;
  switch (result.type) {
    case "succeeded":
      return { id, kind: "answer", body: result.message };
    case "canceled":
      return { id, kind: "not_run", reason: "cancelled" };
    case "expired":
      return { id, kind: "not_run", reason: "expired" };
    default:
      return decodeError(id, asObject(result.error));
  }
}
