/**
 * A short number that stands for a record's input, for comparing a million of them in little memory.
 *
 * @module
 */
import { canonicalJsonOfDoubles } from "../canonical_json.ts";

/** 64 bits of a text. */
let hash: ((text: string) => bigint) | undefined;

/** Gets the hash function ready; to be awaited once before {@link fingerprint} is called. */
export async function loadFingerprint(): Promise<void> {
  if (hash !== undefined) return;
  const { default: xxhash } = await import("xxhash-wasm");
  hash = (await xxhash()).h64;
}

/**
 * 52 bits of the XXH64 of the canonical JSON (RFC 8785) of `input`: neither the order of fields nor the
 * spelling of numbers matters, as older files have them as doubles; everything else does. `NaN`, which
 * equals nothing, for what cannot be JSON: too deep, or referring to itself. The runtimes' own hashes leave so much behind for each call that a
 * million of them cost 100 MB.
 */
export function fingerprint(input: unknown): number {
  let text: string;
  try {
    text = canonicalJsonOfDoubles(input);
  } catch {
    return NaN;
  }
  return Number(hash!(text) >> 12n);
}
