/**
 * Encodes rows as lines of JSON.
 *
 * @module
 */

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
