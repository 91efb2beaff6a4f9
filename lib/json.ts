/**
 * Reading parsed JSON whose shape is not certain.
 *
 * @module
 */

/** A JSON object whose fields are not known to be there. */
export type Json = Record<string, unknown>;

/** `value` when it is a JSON object, else `undefined`. */
export function asObject(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : undefined;
}

/** The JSON objects in `value` when it is an array, else none. */
export function asObjects(value: unknown): Json[] {
  if (!Array.isArray(value)) return [];
  return value.map(asObject).filter((item) => item !== undefined);
}

/** `value` when it is a string with something in it, else `undefined`. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** `value` when it is a number, else `undefined`. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/**
 * `value` when it can count something: a finite number that is not negative, else `undefined`. Servers
 * have sent `-1`, `null` and text for token counts they did not know.
 */
export function asCount(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < Infinity ? value : undefined;
}
