/**
 * Reads a local file that a message refers to. Accepts only regular files, since a pipe or a device may block
 * or never end, and only up to the size that can be sent.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { AbortedError, InvalidInputError } from "../errors.ts";
import { fileReason } from "./reasons.ts";
import { abortable } from "../runtime/abortable.ts";

/** Bytes read at first from files that report no size, such as those in /proc. */
const CHUNK = 64 * 1024;

/** The kind of something that is not a regular file. */
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

/** The error for an attachment of `size` bytes, which are more than `max`. */
export function tooLarge(what: string, size: number | undefined, max: number): InvalidInputError {
  const has = size === undefined ? "is larger than" : `has ${megabytes(size)}, more than`;
  return new InvalidInputError(`${what} ${has} the ${megabytes(max)} that can be sent`);
}

/** The bytes of a regular file; `undefined` if there are more than `max`. */
async function readBounded(
  path: string,
  size: number,
  max: number,
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
      if (length > max || signal?.aborted) return undefined;
      if (length === buffer.length) {
        buffer = Buffer.concat([buffer], Math.min(2 * length, max + 1));
      }
    }
  } finally {
    await file.close();
  }
}

/**
 * Reads the file at `path`.
 *
 * @param options.what what messages call the file
 * @param options.max maximum size in bytes
 * @throws {InvalidInputError} if it cannot be read, is not a regular file, or is too large
 * @throws {AbortedError} if `signal` is aborted
 */
export async function readLocalFile(
  path: string,
  { what, max, signal }: { what: string; max: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    const stats = await abortable(stat(path), signal);
    if (!stats.isFile()) {
      throw new InvalidInputError(`cannot read ${what}: it is ${kindOf(stats)}, not a file`);
    }
    if (stats.size > max) throw tooLarge(what, stats.size, max);
    bytes = await abortable(readBounded(path, stats.size, max, signal), signal);
  } catch (cause) {
    if (cause instanceof InvalidInputError || cause instanceof AbortedError) throw cause;
    throw new InvalidInputError(`cannot read ${what}: ${fileReason(cause)}`, {
      cause,
      hint: "Use an existing file, an http(s) URL or a data URL.",
    });
  }
  if (bytes === undefined) throw tooLarge(what, undefined, max);
  return bytes;
}
