/**
 * Hashes a record's input to one number, so that millions of inputs can be compared in little memory.
 *
 * @module
 */
import { NormalJsonWriter } from "../../json/normal_json.ts";

/** Replaces the fingerprint of an input that has been compared. Those of inputs are not negative. */
export const CHECKED = -1;
/** The fingerprint of a failure without an input, which any input matches. */
export const ANY_INPUT = -2;

/** XXH64. */
interface Hashes {
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

const writer = new NormalJsonWriter();

/**
 * A hash of `input` that depends neither on the order of fields nor on the spelling of numbers, since older files
 * contain doubles: that of its normal JSON (see normal_json.ts). `NaN`, which equals nothing, if `input` is circular
 * or nested too deeply.
 */
export function fingerprint(input: unknown): number {
  writer.buffer.clear();
  try {
    writer.write(input);
  } catch {
    return NaN;
  }
  return fingerprintOfJson(writer.buffer.bytes);
}

/** The {@link fingerprint} of a value whose normal JSON is `json`: the upper 40 bits of the XXH64. */
export function fingerprintOfJson(json: Uint8Array): number {
  // Not the runtime's own hash: it allocates per call, 100 MB for a million records.
  return Number(hashes!.h64Raw(json) >> 24n);
}
