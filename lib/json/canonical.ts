/**
 * Writes canonical JSON, which does not depend on the order of fields.
 *
 * @module
 */
import { isRawNumber, type RawNumber } from "./json.ts";

function asWritten({ rawJSON }: RawNumber): string {
  return rawJSON;
}

/**
 * The canonical JSON (RFC 8785) of `value`. Values without a JSON form are treated as by `JSON.stringify`;
 * `bigint`s are written as integers.
 *
 * @param rawNumber formats a number that a double would change; default: its source text
 */
export function canonicalJson(
  value: unknown,
  rawNumber: (number: RawNumber) => string = asWritten,
): string {
  return write(value, rawNumber) ?? "";
}

/** The same with all numbers as doubles: `1.10` equals `1.1`. */
export function canonicalJsonOfDoubles(value: unknown): string {
  return canonicalJson(value, ({ rawJSON }) => JSON.stringify(Number(rawJSON)));
}

function write(value: unknown, rawNumber: (number: RawNumber) => string): string | undefined {
  if (typeof value === "bigint") return rawNumber({ rawJSON: String(value) });
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isRawNumber(value)) return rawNumber(value);
  if (Array.isArray(value)) {
    let text = "[";
    for (let i = 0; i < value.length; i++) {
      text += `${i === 0 ? "" : ","}${write(value[i], rawNumber) ?? "null"}`;
    }
    return `${text}]`;
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return write(value.toJSON(), rawNumber);
  }
  let text = "{";
  for (const name of Object.keys(value).sort()) {
    const field = write((value as Record<string, unknown>)[name], rawNumber);
    if (field === undefined) continue;
    text += `${text === "{" ? "" : ","}${JSON.stringify(name)}:${field}`;
  }
  return `${text}}`;
}
