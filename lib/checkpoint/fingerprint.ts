/**
 * A short number that stands for a record's input, for comparing a million of them in little memory.
 *
 * @module
 */
import { canonicalJson } from "../canonical_json.ts";

/** 64 bits of a text. */
let hash: ((text: string) => bigint) | undefined;

/** Gets the hash function ready; to be awaited once before {@link fingerprint} is called. */
export async function loadFingerprint(): Promise<void> {
  if (hash !== undefined) return;
  const { default: xxhash } = await import("xxhash-wasm");
  hash = (await xxhash()).h64;
}

/**
 * 52 bits of the XXH64 of the canonical JSON (RFC 8785) of `input`: the order of fields does not
 * matter, everything else does. The runtimes' own hashes leave so much behind for each call that a
 * million of them cost 100 MB.
 */
export function fingerprint(input: unknown): number {
  return Number(hash!(canonicalJson(input)) >> 12n);
}
