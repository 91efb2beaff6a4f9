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

/** Names of fields as JSON, with a colon. Most records have the same few names. */
const fieldStarts = new Map<string, string>();
/** Names that are remembered: those of a hostile input must not fill the memory. */
const MAX_NAMES = 1000;

function fieldStart(name: string): string {
  let start = fieldStarts.get(name);
  if (start !== undefined) return start;
  start = `${JSON.stringify(name)}:`;
  if (fieldStarts.size < MAX_NAMES) fieldStarts.set(name, start);
  return start;
}

/** Objects with more fields are sorted by the runtime, which is slower for a few. */
const FEW = 16;

/** The names of the fields of `value`, by UTF-16 code units. */
function sortedNames(value: object): string[] {
  const names = Object.keys(value);
  if (names.length > FEW) return names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i];
    let at = i;
    for (; at > 0 && names[at - 1] > name; at--) names[at] = names[at - 1];
    names[at] = name;
  }
  return names;
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
  for (const name of sortedNames(value)) {
    const field = write((value as Record<string, unknown>)[name], rawNumber);
    if (field === undefined) continue;
    text += `${text === "{" ? "" : ","}${fieldStart(name)}${field}`;
  }
  return `${text}}`;
}
