/**
 * A short number that stands for a record's input, for comparing a million of them in little memory.
 *
 * @module
 */
import canonicalize from "canonicalize";
import { hash } from "node:crypto";

/**
 * 52 bits of the SHA-1 of the canonical JSON (RFC 8785) of `input`: the order of fields does not
 * matter, everything else does.
 */
export function fingerprint(input: unknown): number {
  return parseInt(hash("sha1", canonicalJson(input)).slice(0, 13), 16);
}

/** RFC 8785 has no form for half a surrogate pair, which truncated texts end in; JSON escapes it. */
function canonicalJson(input: unknown): string {
  try {
    return canonicalize(input) ?? "";
  } catch {
    return JSON.stringify(input);
  }
}
