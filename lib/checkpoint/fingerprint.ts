/**
 * A short number that stands for a record's input, for comparing a million of them in little memory.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonicalJson } from "../canonical_json.ts";

/**
 * 52 bits of the SHA-1 of the canonical JSON (RFC 8785) of `input`: the order of fields does not
 * matter, everything else does.
 */
export function fingerprint(input: unknown): number {
  return parseInt(hash("sha1", canonicalJson(input)).slice(0, 13), 16);
}
