/**
 * Sorts a result file by index into a copy, in flat memory, and replaces the file with the copy.
 * Every line is checked before it is copied, so that damage is never made permanent.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { readAt } from "./append_file.ts";
import { readRecord } from "./result_line.ts";
import type { RecordIndex } from "./record_index.ts";

/**
 * Records finish nearly in order, and again nearly in order after each resume: a few windows into the
 * file, each moving forward, serve almost every read.
 */
const WINDOW_SIZE = 1 << 20;
const MAX_WINDOWS = 16;
const OUTPUT_SIZE = WINDOW_SIZE;

/** Reads pieces of a file through a few windows that are kept. */
class WindowedReader {
  readonly #fd: number;
  /** The start of each window and its bytes, the one used longest ago first. */
  readonly #windows = new Map<number, Buffer>();
  readonly #buffers: Buffer[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The bytes from `offset` up to `end`; fewer at the end of the file. Valid until the next call. */
  read(offset: number, end: number): Buffer {
    const start = offset - offset % WINDOW_SIZE;
    const window = this.#window(start);
    if (end - start <= window.length) return window.subarray(offset - start, end - start);
    return readAt(this.#fd, offset, end - offset);
  }

  #window(start: number): Buffer {
    let window = this.#windows.get(start);
    if (window === undefined) {
      // Used again and again: the runtime is slow to take such large buffers back.
      const buffer = this.#spareBuffer();
      window = buffer.subarray(0, readSync(this.#fd, buffer, 0, WINDOW_SIZE, start));
    } else {
      this.#windows.delete(start);
    }
    this.#windows.set(start, window);
    return window;
  }

  #spareBuffer(): Buffer {
    if (this.#buffers.length < MAX_WINDOWS) {
      const buffer = Buffer.allocUnsafeSlow(WINDOW_SIZE);
      this.#buffers.push(buffer);
      return buffer;
    }
    const [start, window] = this.#windows.entries().next().value!;
    this.#windows.delete(start);
    return this.#buffers.find(({ buffer }) => buffer === window.buffer)!;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written);
  }
}

/** Gathers small pieces into large writes. */
class BufferedWriter {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(OUTPUT_SIZE);
  #used = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Writes `bytes`, which may be used again afterwards. */
  write(bytes: Buffer): void {
    if (this.#used + bytes.length > OUTPUT_SIZE) this.flush();
    if (bytes.length > OUTPUT_SIZE) return writeAll(this.#fd, bytes);
    this.#used += bytes.copy(this.#buffer, this.#used);
  }

  flush(): void {
    writeAll(this.#fd, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

/** Thrown when the line of a record is not where it was written, or no longer the record. */
export class DamagedLineError extends Error {
  constructor(readonly index: number) {
    super(`the line of record ${index} was changed by another program`);
  }
}

const NEWLINE = 10;

/** Whether `line`, with its newline, is the result of `index`. */
function isRecord(line: Buffer, length: number, index: number): boolean {
  if (line.indexOf(NEWLINE) !== length - 1) return false;
  const record = readRecord(line.toString("utf8", 0, length - 1));
  return typeof record === "object" && record.index === index;
}

/** Yields the line of each record of the file open as `fd`, in order; each is checked. */
function* checkedLines(fd: number, index: RecordIndex): Generator<Buffer, void, void> {
  const reader = new WindowedReader(fd);
  for (let i = 0; i < index.end; i++) {
    if (index.state(i) === "none") continue;
    const { offset, length } = index.place(i);
    // With the newline at its end, which every line of the file has.
    const line = reader.read(offset, offset + length + 1);
    if (!isRecord(line, length + 1, i)) throw new DamagedLineError(i);
    yield line;
  }
}

/**
 * Checks that every record is still in its place.
 *
 * @throws {DamagedLineError} at the first that is not
 */
export function checkLines(fd: number, index: RecordIndex): void {
  for (const _ of checkedLines(fd, index));
}

/** Makes the rename itself survive a power failure; not every system can sync a folder. */
function syncFolder(path: string): void {
  try {
    const fd = openSync(path, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Windows: the file is there or the old one is, both hold every record.
  }
}

/** Replaces the file at `path` with what `write` writes, all at once. */
function replaceFile(path: string, mode: number, write: (target: number) => void): void {
  // Always the same name: what a killed process left behind is overwritten, under the lock.
  const temporary = `${path}.tmp`;
  let target: number | undefined;
  try {
    target = openSync(temporary, "w");
    fchmodSync(target, mode & 0o777);
    write(target);
    fsyncSync(target);
    closeSync(target);
    target = undefined;
    renameSync(temporary, path);
  } catch (error) {
    if (target !== undefined) closeSync(target);
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/**
 * Replaces the file at `path`, open as `fd`, with its records in order. `beforeReplacing` is called when
 * the copy is complete, and may throw.
 *
 * @throws {DamagedLineError} when a record is not in its place; the file is untouched then
 * @throws an error of the file system; the file is untouched then
 */
export function writeInOrder(
  path: string,
  fd: number,
  index: RecordIndex,
  beforeReplacing: () => void,
): void {
  replaceFile(path, fstatSync(fd).mode, (target) => {
    const writer = new BufferedWriter(target);
    for (const line of checkedLines(fd, index)) writer.write(line);
    writer.flush();
    beforeReplacing();
  });
}

/**
 * Copies the file open as `fd`, whose name may be gone, to `path`.
 *
 * @throws an error of the file system
 */
export function copyWhole(fd: number, path: string): void {
  const { mode, size } = fstatSync(fd);
  replaceFile(path, mode, (target) => {
    for (let at = 0; at < size; at += WINDOW_SIZE) writeAll(target, readAt(fd, at, WINDOW_SIZE));
  });
}
