/**
 * Encodes rows and decodes their results in OpenAI's format, which Mistral and Together share.
 *
 * Sources: OpenAI API reference, "Batch" ("The request input object", "The request output object"); Mistral and
 * Together have the same output rows, and error rows of their own.
 *
 * @module
 */
import { asNumber, asObject, asText, type Json, tryParse } from "../../json/json.ts";
import type { RowResult } from "../batch_api.ts";

/** Error codes of rows that were never processed. */
const NOT_RUN: readonly (readonly [code: RegExp, reason: "expired" | "cancelled"])[] = [
  [/^(batch_|request_)?(expired|timeout_exceeded)$/i, "expired"],
  [/^(batch_|request_)?cancell?ed$/i, "cancelled"],
];

/** A body, which some services send as JSON inside of a string. */
function bodyOf(value: unknown): unknown {
  return typeof value === "string" ? tryParse(value) ?? value : value;
}

/** An error as the endpoint itself would answer. */
function errorBody(error: unknown): unknown {
  const value = bodyOf(error);
  const object = asObject(value);
  if (object === undefined) return { error: { message: String(value) } };
  return asObject(object.error) === undefined ? { error: object } : object;
}

/** Whether an error says anything; some services send an empty one with each answer. */
function isError(error: unknown): boolean {
  const object = asObject(error);
  return object === undefined
    ? asText(error) !== undefined
    : Object.values(object).some((value) => value !== null && value !== "");
}

function decodeError(id: string, error: unknown, status?: number): RowResult {
  const code = asText(asObject(error)?.code) ?? "";
  const notRun = NOT_RUN.find(([pattern]) => pattern.test(code));
  if (notRun !== undefined) return { id, kind: "not_run", reason: notRun[1] };
  const body = errorBody(error);
  // A success with an error says nothing about the error.
  return status === undefined || status < 300
    ? { id, kind: "error", body }
    : { id, kind: "error", status, body };
}

function decodeResponse(id: string, response: Json, error: unknown): RowResult {
  const status = asNumber(response.status_code);
  const body = bodyOf(response.body);
  const isEmpty = body === undefined || body === null || body === "";
  // vLLM puts the error next to a response without a body.
  if (isEmpty && isError(error)) return decodeError(id, error, status);
  if (status === undefined ? isError(error) : status < 200 || status > 299) {
    return { id, kind: "error", status, body: isEmpty ? { error: {} } : body };
  }
  return { id, kind: "answer", body };
}

/**
 * Decodes one parsed line of an output or error file; `undefined` if it has no id, or neither a response nor an
 * error: such a row counts as missing.
 */
export function decodeRow(line: unknown): RowResult | undefined {
  const row = asObject(line);
  const id = asText(row?.custom_id);
  if (row === undefined || id === undefined) return undefined;
  const response = asObject(row.response);
  if (response !== undefined) return decodeResponse(id, response, row.error);
  return isError(row.error) ? decodeError(id, row.error) : undefined;
}
