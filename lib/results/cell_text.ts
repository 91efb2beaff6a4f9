/**
 * Writes values as text for the cells of a table.
 *
 * @module
 */
import { isRawNumber, stringifyExact } from "../json/json.ts";

/** The text of a number that a double cannot represent. */
export function rawNumber(value: unknown): string | undefined {
  return isRawNumber(value) ? value.rawJSON : undefined;
}

/** A value as text: strings unchanged, nested values as JSON, absent ones empty. */
export function cellText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  return rawNumber(value) ?? stringifyExact(value);
}
