/**
 * Decodes the results of Anthropic's message batches.
 *
 * @module
 */
import { asObject, asText, type Json } from "../../json/json.ts";
import type { RowResult } from "../batch_api.ts";

/** The HTTP status of each error type. Source: Anthropic API reference, "Errors". */
const STATUSES: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

function decodeError(id: string, error: Json | undefined): RowResult {
  const details = asObject(error?.error) ?? error;
  const body = { type: "error", ...error, error: details ?? { message: "no reason was given" } };
  return { id, kind: "error", status: STATUSES[asText(details?.type) ?? ""], body };
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
