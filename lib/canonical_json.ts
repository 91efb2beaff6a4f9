/**
 * JSON in which the order of fields does not matter.
 *
 * @module
 */
import canonicalize from "canonicalize";

/**
 * The canonical JSON (RFC 8785) of `value`. Where there is none, since a text ends in half a surrogate
 * pair, the JSON as it stands.
 */
export function canonicalJson(value: unknown): string {
  try {
    return canonicalize(value) ?? "";
  } catch {
    return JSON.stringify(value);
  }
}
