/**
 * Formats values for error messages.
 *
 * @module
 */

/** The JSON of a value, truncated. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
