/**
 * Appends lines to a file that other programs may append to at the same time.
 *
 * Every write lands at the end of the file, wherever that is by then. A small read after each write checks
 * that nothing else was appended. If something was, a search locates our lines.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { fdatasync, fdatasyncSync, fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { clearTimeout, setTimeout } from "node:timers";

const NEWLINE = 10;
/** Maximum number of times to rewrite lines that another writer interleaved with its own. */
const ATTEMPTS = 5;

/** How long written data may stay unsynced, in milliseconds. */
export const SYNC_INTERVAL = 1000;

/** Thrown when another program has truncated the file. */
export class TruncatedError extends Error {}

/** Reads `length` bytes at `offset`, fewer at the end of the file. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(fd, bytes, filled, length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

/** Appends to the file open as `fd`, and syncs it to the disk within a second. */
export class AppendFile {
  readonly #fd: number;
  readonly #probe = Buffer.allocUnsafe(2);
  #size: number;
  #isTouched = false;
  /** The number of bytes known to be on disk. */
  #synced = 0;
  #syncTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param size the end of the last whole line */
  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /** The end of the known part of the file. */
  get size(): number {
    return this.#size;
  }

  /** Whether another program is known to have appended to the file or truncated it. */
  get wasTouched(): boolean {
    return this.#isTouched;
  }

  /** Like {@link wasTouched}, but checks the file first. */
  isTouched(): boolean {
    return this.#isTouched ||= !this.#endsAt(this.#size);
  }

  /** Marks what others appended, up to `size`, as read. */
  accept(size: number): void {
    this.#size = size;
  }

  /** Syncs everything written to the disk. */
  sync(): void {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    if (this.#synced >= this.#size) return;
    fdatasyncSync(this.#fd);
    this.#synced = this.#size;
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      const written = this.#size;
      // A persistent error recurs in the final sync, which throws it.
      fdatasync(this.#fd, (error) => {
        if (!error) this.#synced = Math.max(this.#synced, written);
      });
    }, SYNC_INTERVAL);
  }

  /**
   * Appends `bytes`, which consist of lines of the given lengths, newlines included. Returns their
   * offsets.
   *
   * @throws {TruncatedError} after writing the lines, if another program has truncated the file
   * @throws a file system error; then none of the lines is in the file
   */
  append(bytes: Uint8Array, lengths: readonly number[]): number[] {
    const start = this.#size;
    this.#write(bytes);
    this.#syncSoon();
    this.#size = start + bytes.length;
    if (this.#endsAt(this.#size)) {
      let offset = start;
      return lengths.map((length) => (offset += length) - length);
    }
    this.#isTouched = true;
    return this.#locate(bytes, lengths, start);
  }

  /** Whether the last byte of the file is a newline at `end - 1`. */
  #endsAt(end: number): boolean {
    if (end === 0) return readSync(this.#fd, this.#probe, 0, 1, 0) === 0;
    const read = readSync(this.#fd, this.#probe, 0, 2, end - 1);
    return read === 1 && this.#probe[0] === NEWLINE;
  }

  #write(bytes: Uint8Array): void {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      try {
        // Only if nothing else was appended: the lines of others are not ours to remove.
        if (fstatSync(this.#fd).size === this.#size + written) ftruncateSync(this.#fd, this.#size);
      } catch {
        // A torn line stays in the file. The next run removes it.
      }
      throw error;
    }
  }

  /** Finds the lines after `start`, and rewrites those interleaved with another writer's bytes. */
  #locate(bytes: Uint8Array, lengths: readonly number[], start: number): number[] {
    const ours = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let end = 0;
    const lines = lengths.map((length) => ours.subarray(end, end += length));
    const isTruncated = fstatSync(this.#fd).size < start + bytes.length;
    const offsets: number[] = lines.map(() => -1);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { size } = fstatSync(this.#fd);
      // Starts one byte earlier, to see whether a newline precedes the first line.
      const from = Math.max(0, (isTruncated ? size - bytes.length : start) - 1);
      const region = readAt(this.#fd, from, size - from);
      this.#size = from + region.length;
      const missing = lines.filter((line, i) => {
        if (offsets[i] < 0) offsets[i] = findLine(region, line, from);
        return offsets[i] < 0;
      });
      if (missing.length === 0) {
        if (isTruncated) throw new TruncatedError("another program truncated the file");
        return offsets;
      }
      this.#write(Buffer.concat([Buffer.from("\n"), ...missing]));
    }
    throw new Error("another program keeps writing to it");
  }
}

/** The offset of `line` as a whole line in `region`, which starts at `from`; -1 if it is missing. */
function findLine(region: Buffer, line: Buffer, from: number): number {
  for (let at = region.indexOf(line); at >= 0; at = region.indexOf(line, at + 1)) {
    if (from + at === 0 || region[at - 1] === NEWLINE) return from + at;
  }
  return -1;
}
