/**
 * Reads a file named in a message: only regular files, up to the size that can be sent. A pipe or a
 * device may block or never end.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { AbortedError, InvalidInputError } from "../errors.ts";
import { fileReason } from "./reasons.ts";
import { untilAborted } from "../runtime/until_aborted.ts";

/** Bytes read at first from files that report no size, such as those in /proc. */
const CHUNK = 64 * 1024;

/** What a path points to, if not a regular file. */
function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

/** `bytes` in megabytes, for a message. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** The error for something of `size` bytes, of which `most` can be sent. */
export function tooLarge(what: string, size: number | undefined, most: number): InvalidInputError {
  const has = size === undefined ? "is larger than" : `has ${megabytes(size)}, more than`;
  return new InvalidInputError(`${what} ${has} the ${megabytes(most)} that can be sent`);
}

/** The bytes of a regular file; `undefined` when they are more than `most`. */
async function readBounded(
  path: string,
  size: number,
  most: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const file = await open(path, "r");
  try {
    // One byte more than expected, to detect the end without another buffer.
    let buffer = Buffer.allocUnsafe(size === 0 ? CHUNK : size + 1);
    let length = 0;
    while (true) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0) return buffer.subarray(0, length);
      if (length > most || signal?.aborted) return undefined;
      if (length === buffer.length) {
        buffer = Buffer.concat([buffer], Math.min(2 * length, most + 1));
      }
    }
  } finally {
    await file.close();
  }
}

/**
 * Reads the file at `path`, at most `most` bytes. Messages call it `what`.
 *
 * @throws {InvalidInputError} when it cannot be read, is no regular file, or is too large
 * @throws {AbortedError} when `signal` fires
 */
export async function readLocalFile(
  path: string,
  { what, most, signal }: { what: string; most: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    const stats = await untilAborted(stat(path), signal);
    if (!stats.isFile()) {
      throw new InvalidInputError(`cannot read ${what}: it is ${kindOf(stats)}, not a file`);
    }
    if (stats.size > most) throw tooLarge(what, stats.size, most);
    bytes = await untilAborted(readBounded(path, stats.size, most, signal), signal);
  } catch (cause) {
    if (cause instanceof InvalidInputError || cause instanceof AbortedError) throw cause;
    throw new InvalidInputError(`cannot read ${what}: ${fileReason(cause)}`, {
      cause,
      hint: "Give an existing file, an http(s) URL or a data URL.",
    });
  }
  if (bytes === undefined) throw tooLarge(what, undefined, most);
  return bytes;
}
