/**
 * A short number that stands for a record's input, for comparing a million of them in little memory.
 *
 * @module
 */
import { canonicalJsonOfDoubles } from "../../json/canonical.ts";

/** 64 bits of a text, and of bytes. */
interface Hashes {
  h64(text: string): bigint;
  h64Raw(bytes: Uint8Array): bigint;
}

let hashes: Hashes | undefined;

/** Loads the hash functions; to be awaited once before {@link fingerprint} or {@link hashBytes} is called. */
export async function loadFingerprint(): Promise<void> {
  if (hashes !== undefined) return;
  const { default: xxhash } = await import("xxhash-wasm");
  hashes = await xxhash();
}

/** 52 bits of the XXH64 of `bytes`. */
export function hashBytes(bytes: Uint8Array): number {
  return Number(hashes!.h64Raw(bytes) >> 12n);
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
  return Number(hashes!.h64(text) >> 12n);
}
