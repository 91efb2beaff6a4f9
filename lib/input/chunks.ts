/**
 * Reads a whole file in chunks.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import type { ReadBytes } from "../files/lines.ts";

const CHUNK = 1 << 20;

/** Yields the bytes of `file`, an open file or a function that reads one, in new buffers. */
export function* chunksOf(
  file: number | ReadBytes,
  position = 0,
): Generator<Buffer, void, void> {
  while (true) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const length = typeof file === "number"
      ? readSync(file, chunk, 0, CHUNK, position)
      : file(chunk, position);
    if (length === 0) return;
    position += length;
    yield chunk.subarray(0, length);
  }
}
