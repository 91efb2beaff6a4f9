/**
 * Writes a result file anew in the order of its indexes, in flat memory, and puts it in the place of
 * the old one at once.
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

  /** Gives the bytes from `offset` up to `end` to `writer`. */
  copy(offset: number, end: number, writer: BufferedWriter): void {
    for (let at = offset; at < end;) {
      const start = at - at % WINDOW_SIZE;
      const window = this.#window(start);
      const until = Math.min(end - start, window.length);
      if (at - start >= until) throw new Error("the file has become shorter");
      writer.write(window, at - start, until);
      at = start + until;
    }
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

function writeAll(fd: number, bytes: Buffer): void {
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

  /** Writes the bytes of `source` from `start` up to `end`, no more than a window has. */
  write(source: Buffer, start: number, end: number): void {
    if (this.#used + end - start > OUTPUT_SIZE) this.flush();
    this.#used += source.copy(this.#buffer, this.#used, start, end);
  }

  flush(): void {
    writeAll(this.#fd, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

function copyRecords(source: number, target: number, index: RecordIndex): void {
  const reader = new WindowedReader(source);
  const writer = new BufferedWriter(target);
  for (let i = 0; i < index.end; i++) {
    if (index.state(i) === "none") continue;
    const { offset, length } = index.place(i);
    // With the newline at its end, which every line of the file has.
    reader.copy(offset, offset + length + 1, writer);
  }
  writer.flush();
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

/**
 * Replaces the file at `path`, open as `fd`, by its records in order.
 *
 * @throws an error of the file system; the file is untouched then
 */
export function writeInOrder(path: string, fd: number, index: RecordIndex): void {
  // Always the same name: what a killed process left behind is overwritten, under the lock.
  const temporary = `${path}.tmp`;
  let target: number | undefined;
  try {
    target = openSync(temporary, "w");
    fchmodSync(target, fstatSync(fd).mode & 0o777);
    copyRecords(fd, target, index);
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
