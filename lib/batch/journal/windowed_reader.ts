/**
 * Reads lines of a file in almost any order with few system calls and in flat memory.
 *
 * A file usually consists of a few sorted runs: one per resume, or one per worker. Reading it in index order
 * moves forward in each run, so one window per run is enough for almost every read.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import { readAt } from "./append_file.ts";

/** Bytes of all windows together. */
const MEMORY = 1 << 24;
const MAX_WINDOW = 1 << 20;
/** Even in a shuffled file, reading a window of this size costs little more than reading a line. */
const MIN_WINDOW = 1 << 12;

interface Window {
  memory: Buffer;
  bytes: Buffer;
}

/** The largest window size, a power of two, at which each of `runs` runs has its own window. */
function windowSize(runs: number): number {
  let size = MAX_WINDOW;
  while (size > MIN_WINDOW && size * runs > MEMORY) size >>= 1;
  return size;
}

/** Reads parts of an open file through windows. A new window replaces the least recently used one. */
export class WindowedReader {
  readonly #fd: number;
  readonly #size: number;
  readonly #maxWindows: number;
  /** The windows by position, the least recently used first. */
  readonly #windows = new Map<number, Window>();
  #start = -1;
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * @param fd an open file
   * @param runs the approximate number of sorted runs in it
   */
  constructor(fd: number, runs: number) {
    this.#fd = fd;
    this.#size = windowSize(runs);
    this.#maxWindows = MEMORY / this.#size;
  }

  /** The bytes of the selected part of the file. Its memory stays valid until a third part is selected. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The file offset at which {@link bytes} start. */
  get start(): number {
    return this.#start;
  }

  /** Selects a part of the file that has the bytes from `offset` up to `end`, fewer at the end of the file. */
  select(offset: number, end: number): void {
    if (offset >= this.#start && end <= this.#start + this.#bytes.length) return;
    const start = offset - offset % this.#size;
    if (end - start > this.#size) {
      // A line that crosses into the next window is read by itself.
      this.#bytes = readAt(this.#fd, offset, end - offset);
      this.#start = offset;
    } else if (start !== this.#start) {
      this.#bytes = this.#window(start);
      this.#start = start;
    }
  }

  #window(start: number): Buffer {
    let window = this.#windows.get(start);
    if (window === undefined) {
      const memory = this.#freeMemory();
      window = {
        memory,
        bytes: memory.subarray(0, readSync(this.#fd, memory, 0, this.#size, start)),
      };
    } else {
      this.#windows.delete(start);
    }
    this.#windows.set(start, window);
    return window.bytes;
  }

  /** Memory is reused: the runtimes are slow to free large buffers. */
  #freeMemory(): Buffer {
    if (this.#windows.size < this.#maxWindows) return Buffer.allocUnsafeSlow(this.#size);
    const [[start, { memory }]] = this.#windows;
    this.#windows.delete(start);
    return memory;
  }
}
