/**
 * Takes parts of buffers.
 *
 * @module
 */
import { globals } from "./globals.ts";

/** Bytes up to which JavaScriptCore stores an array inline, in the object itself (`fastSizeLimit`). */
const MAX_INLINE = 1000;
const { slice } = Uint8Array.prototype;

/**
 * The bytes from `start` to `end`: a view or a copy. The first view of an inline array makes Bun move its bytes to an
 * `ArrayBuffer`, which takes more time and memory than a copy of them.
 */
export function partOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const isInline = globals.Bun !== undefined && bytes.length <= MAX_INLINE;
  return isInline ? slice.call(bytes, start, end) : bytes.subarray(start, end);
}
