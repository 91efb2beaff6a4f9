/**
 * Reads what a record needs of a file: its text, or its type and a hash of its content.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { hashBytes } from "../batch/journal/fingerprint.ts";
import { isContainer } from "../chat/media_type.ts";
import { InvalidInputError } from "../errors.ts";
import { tooLarge } from "../files/read_local_file.ts";
import { fileReason } from "../files/reasons.ts";
import { MAX_BYTES } from "../transport/load_file.ts";
import { checkSize, MAX_TEXT } from "./attachment_part.ts";
import { contentOf, contentOfHead, type FileContent } from "./file_content.ts";

/** The content of larger files is sampled in four blocks: reading 100,000 photos twice takes too long. */
const BLOCK = 16 * 1024;
const BLOCKS = 4;

/** Formats in which an edit may change a few bytes in the middle and nothing else. */
const UNCOMPRESSED = /^audio\/(wav|aiff)$/;

/** Opening a pipe doesn't wait for a writer. Windows has neither. */
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/** What a record of a file needs. */
export interface ReadFile {
  content: FileContent;
  /** Identifies the content of a file that is not text. */
  hash?: string;
}

function readAt(
  fd: number,
  buffer: Buffer,
  start: number,
  length: number,
  position: number,
): number {
  let filled = 0;
  while (filled < length) {
    const read = readSync(fd, buffer, start + filled, length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** Reads files with one buffer for all. */
export class FileReader {
  readonly #buffer = Buffer.allocUnsafe(BLOCK * BLOCKS);

  /**
   * Reads what is needed of a file.
   *
   * @throws {InvalidInputError} if it cannot be sent
   */
  read(path: string): ReadFile {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | NONBLOCK);
    } catch (cause) {
      throw new InvalidInputError(`cannot read ${path}: ${fileReason(cause)}`, { cause });
    }
    try {
      return this.#readOpen(fd, path);
    } finally {
      closeSync(fd);
    }
  }

  #readOpen(fd: number, path: string): ReadFile {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new InvalidInputError(`${path} is not a regular file`);
    const { size } = stats;
    const file = { what: path, name: basename(path) };
    const sample = this.#sample(fd, size);
    const known = contentOfHead(sample, file);
    if (known === undefined) return this.#readText(fd, size, sample, file);
    checkSize(known.kind, size, path);
    const hashed = size > sample.length && UNCOMPRESSED.test(known.mediaType)
      ? this.#all(fd, size)
      : sample;
    return { content: known, hash: hashOf(size, hashed) };
  }

  /** Text, or an office document, whose name has to be considered. */
  #readText(
    fd: number,
    size: number,
    sample: Buffer,
    file: { what: string; name: string },
  ): ReadFile {
    const isDocument = isContainer(sample);
    // UTF-16 takes twice the space.
    const max = isDocument ? MAX_BYTES.file : 2 * MAX_TEXT;
    if (size > max) throw tooLarge(file.what, size, isDocument ? max : MAX_TEXT);
    const content = contentOf(size <= sample.length ? sample : this.#all(fd, size), file);
    if (content.kind !== "text") {
      checkSize(content.kind, size, file.what);
      return { content, hash: hashOf(size, sample) };
    }
    checkSize("text", Buffer.byteLength(content.text), file.what);
    return { content };
  }

  /** The whole file, or blocks of it: the first one, the last one, and two between them. */
  #sample(fd: number, size: number): Buffer {
    const buffer = this.#buffer;
    if (size <= buffer.length) {
      // Files in /proc report no size.
      return buffer.subarray(0, readAt(fd, buffer, 0, size === 0 ? buffer.length : size, 0));
    }
    for (let i = 0; i < BLOCKS; i++) {
      const position = Math.floor((size - BLOCK) * i / (BLOCKS - 1));
      readAt(fd, buffer, i * BLOCK, BLOCK, position);
    }
    return buffer;
  }

  #all(fd: number, size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    return bytes.subarray(0, readAt(fd, bytes, 0, size, 0));
  }
}

function hashOf(size: number, bytes: Uint8Array): string {
  return `${size}-${hashBytes(bytes).toString(16)}`;
}
