/**
 * A file as it was when it was opened, read more than once: bytes that are appended later are not read,
 * and bytes that are changed later are detected before they are used.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { fstatSync, readSync } from "node:fs";
import { hashBytes } from "../batch/journal/fingerprint.ts";
import { InvalidInputError } from "../errors.ts";
import type { ReadBytes } from "../files/lines.ts";

/** The open file `fd` as it is now. */
export class InputSnapshot {
  readonly #fd: number;
  readonly #name: string;
  readonly #size: number;
  /** The hash of each piece that was read, by its position. */
  readonly #hashes = new Map<number, number>();

  /** `name` is for messages. */
  constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
    this.#size = fstatSync(fd).size;
  }

  /**
   * Fills `buffer` from `position`; returns how many bytes there are.
   *
   * @throws {InvalidInputError} when they are not those that were read before
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
