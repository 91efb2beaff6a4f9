/**
 * Packs texts into bytes for the disk, deflating long ones.
 *
 * Deflating halves the size of a 1 kB answer and adds 10 µs to reading it. It then fits into one page of
 * a Deno KV file instead of two.
 *
 * @module
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Shorter texts do not get smaller. */
const DEFLATE_FROM = 1024;

const PLAIN = 0;
const DEFLATED = 1;

function tagged(tag: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(bytes.length + 1);
  packed[0] = tag;
  packed.set(bytes, 1);
  return packed;
}

/** Packs a text. */
export function pack(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < DEFLATE_FROM) return tagged(PLAIN, bytes);
  // Level 1: higher levels save a quarter more but take up to eight times as long.
  const deflated = deflateRawSync(bytes, { level: 1 });
  return deflated.length < bytes.length ? tagged(DEFLATED, deflated) : tagged(PLAIN, bytes);
}

/** Unpacks a text; `undefined` if {@link pack} did not write the bytes. */
export function unpack(packed: Uint8Array): string | undefined {
  const bytes = packed.subarray(1);
  try {
    if (packed[0] === PLAIN) return new TextDecoder().decode(bytes);
    if (packed[0] === DEFLATED) return new TextDecoder().decode(inflateRawSync(bytes));
  } catch {
    return undefined;
  }
  return undefined;
}
