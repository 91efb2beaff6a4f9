/**
 * Checks rows and encodes them as lines of JSON.
 *
 * @module
 */
import type { RowRequest } from "./batch_api.ts";

/** A streamed request. Only a field matches: in a string the quotes are escaped. */
const STREAM = /[{,]\s*"stream"\s*:\s*true/;

/** Why a request cannot be a row of an API that takes the operations `paths`; `undefined` if it can. */
export function rowProblem(
  { path, body }: RowRequest,
  paths: readonly string[],
): string | undefined {
  if (!paths.includes(path)) {
    return `the batch API takes only ${paths.join(" and ")}, not ${path}`;
  }
  return STREAM.test(body)
    ? 'a batch cannot stream its answers (remove "stream": true)'
    : undefined;
}

const SEPARATORS = /[\u2028\u2029]/g;

/**
 * Escapes U+2028 and U+2029 in JSON, where they are only allowed in strings: some servers split lines at them.
 */
export function escapeSeparators(json: string): string {
  return json.replace(SEPARATORS, (char) => char === "\u2028" ? "\\u2028" : "\\u2029");
}

/**
 * Encodes an object as one line of JSON. Of `fields`, values are encoded; `body` is JSON already and comes last,
 * as the field `name`.
 */
export function encodeLine(fields: Record<string, unknown>, name: string, body: string): string {
  const start = JSON.stringify(fields).slice(0, -1);
  const separator = start === "{" ? "" : ",";
  return escapeSeparators(`${start}${separator}${JSON.stringify(name)}:${body}}`);
}
