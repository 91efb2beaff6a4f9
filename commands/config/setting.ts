/**
 * Defines an effective setting, as `flexllm config show` lists it, and formats its value.
 *
 * @module
 */

/** An effective setting. */
export interface Setting {
  name: string;
  /** The value, with secrets masked. */
  value: string | number | boolean;
  /** A position in the file, the name of a variable, or `default`. */
  source: string;
}

/** A configured value as a setting shows it. */
export function displayValue(value: unknown): Setting["value"] {
  if (typeof value === "number" || typeof value === "boolean") return value;
  return typeof value === "string" ? value : JSON.stringify(value);
}
