/**
 * Reads a file as it was when it was opened: bytes appended later are ignored, and bytes changed between
 * two reads are detected before they are used.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { fstatSync, readSync } from "node:fs";
import { hashBytes } from "../batch/journal/fingerprint.ts";
import { InvalidInputError } from "../errors.ts";
import type { ReadBytes } from "../files/lines.ts";

/** A snapshot of an open file. */
export class InputSnapshot {
  readonly #fd: number;
  readonly #name: string;
  readonly #size: number;
  /** The hash of each chunk that was read, by position. */
  readonly #hashes = new Map<number, number>();

  /**
   * @param fd an open file
   * @param name its name, for messages
   */
  constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
    this.#size = fstatSync(fd).size;
  }

  /**
   * Fills `buffer` from `position` and returns the number of bytes.
   *
   * @throws {InvalidInputError} if the same position was read before with other bytes
   */
  readonly read: ReadBytes = (buffer, position) => {
    const length = this.#fill(buffer, position);
    const hash = hashBytes(buffer.subarray(0, length));
    const before = this.#hashes.get(position);
    if (before === undefined) this.#hashes.set(position, hash);
    else if (before !== hash) throw this.#changed();
    return length;
  };

  /** Whether something was appended. */
  hasGrown(): boolean {
    return fstatSync(this.#fd).size > this.#size;
  }

  #fill(buffer: Buffer, position: number): number {
    const wanted = Math.min(buffer.length, Math.max(0, this.#size - position));
    let filled = 0;
    while (filled < wanted) {
      const read = readSync(this.#fd, buffer, filled, wanted - filled, position + filled);
      if (read === 0) break;
      filled += read;
    }
    return filled;
  }

  #changed(): InvalidInputError {
    return new InvalidInputError(`${this.#name} was changed while the batch ran`, {
      hint:
        "No changed line was sent. Run the same command again: it reports records whose input " +
        "has changed since they were sent, and sends the missing ones.",
    });
  }
}
