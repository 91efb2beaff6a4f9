/**
 * Hashes a record's input to one number, so that millions of inputs can be compared in little memory.
 *
 * @module
 */
import { canonicalJsonOfDoubles } from "../../json/canonical.ts";

/** Replaces the fingerprint of an input that has been compared. Those of inputs are not negative. */
export const CHECKED = -1;
/** The fingerprint of a failure without an input, which any input matches. */
export const ANY_INPUT = -2;

/** XXH64 of a text, and of bytes. */
interface Hashes {
  h64(text: string): bigint;
  h64Raw(bytes: Uint8Array): bigint;
}

let hashes: Hashes | undefined;

/** Loads the hash functions. Await it once before calling {@link fingerprint} or {@link hashBytes}. */
export async function loadFingerprint(): Promise<void> {
  if (hashes !== undefined) return;
  const { default: xxhash } = await import("xxhash-wasm");
  hashes = await xxhash();
}

/** The upper 52 bits of the XXH64 of `bytes`: a number holds them exactly. */
export function hashBytes(bytes: Uint8Array): number {
  return Number(hashes!.h64Raw(bytes) >> 12n);
}

/**
 * The upper 40 bits of the XXH64 of the canonical JSON (RFC 8785) of `input`. Field order and number
 * spelling don't matter, since older files contain doubles. `NaN`, which equals nothing, if `input` is
 * circular or nested too deeply.
 */
export function fingerprint(input: unknown): number {
  let text: string;
  try {
    text = canonicalJsonOfDoubles(input);
  } catch {
    return NaN;
  }
  // Not the runtime's own hash: it allocates per call, 100 MB for a million records.
  return Number(hashes!.h64(text) >> 24n);
}
