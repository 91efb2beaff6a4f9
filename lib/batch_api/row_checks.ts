/**
 * Checks requests for what no batch API accepts.
 *
 * @module
 */
import { asObject, type Json, tryParse } from "../json/json.ts";

/** The fields of a request body, which is JSON text. */
export function bodyFields(body: string): Json {
  return asObject(tryParse(body)) ?? {};
}

/** Why a request with these fields cannot be part of a batch; `undefined` if it can. */
export function streamProblem(fields: Json): string | undefined {
  return fields.stream === true
    ? "a batch cannot stream answers; remove `stream` from extraBody"
    : undefined;
}
