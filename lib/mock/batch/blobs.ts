/**
 * Stores uploaded bytes: small ones in memory, others in temporary files, all in the state folder if there
 * is one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, renameSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFile } from "../../files/temporary_file.ts";
import type { ReadBytes } from "../../files/lines.ts";
import { writeAll } from "../../files/write_all.ts";

/** Larger contents go to a file. */
const MAX_IN_MEMORY = 1 << 20;
/** Bytes that are read at once. */
const CHUNK = 1 << 18;

/** Content that can be read at any position. */
export interface Blob {
  size: number;
  read: ReadBytes;
}

/** Receives the bytes of a content. */
export interface BlobWriter {
  write(bytes: Uint8Array): void;
  /** Makes the content readable; with a state folder, it survives a crash once this returns. */
  finish(): Blob;
  /** Drops what was written. */
  abort(): void;
}

function readerOf(fd: number): ReadBytes {
  return (buffer, position) => readSync(fd, buffer, 0, buffer.length, position);
}

/** Keeps small contents in memory, and moves larger ones to a temporary file. */
class SpoolWriter implements BlobWriter {
  #parts: Buffer[] = [];
  #size = 0;
  #file: TemporaryFile | undefined;

  write(bytes: Uint8Array): void {
    const copy = Buffer.from(bytes);
    this.#size += copy.length;
    if (this.#file !== undefined) return this.#file.write(copy);
    this.#parts.push(copy);
    if (this.#size <= MAX_IN_MEMORY) return;
    this.#file = new TemporaryFile("an upload");
    for (const part of this.#parts) this.#file.write(part);
    this.#parts = [];
  }

  finish(): Blob {
    if (this.#file !== undefined) return { size: this.#size, read: readerOf(this.#file.fd) };
    const content = Buffer.concat(this.#parts);
    this.#parts = [];
    return {
      size: content.length,
      read: (buffer, position) => content.copy(buffer, 0, position),
    };
  }

  abort(): void {
    this.#file?.close();
    this.#parts = [];
  }
}

/** The contents of one mock, by id. */
export class Blobs {
  readonly #blobs = new Map<string, Blob>();
  readonly #folder: string | undefined;

  /** @param state the state folder */
  constructor(state: string | undefined) {
    if (state === undefined) return;
    this.#folder = join(state, "files");
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Starts to write the content of `id`. */
  create(id: string): BlobWriter {
    const writer = this.#folder === undefined ? new SpoolWriter() : this.#fileWriter(id);
    return {
      write: (bytes) => writer.write(bytes),
      abort: () => writer.abort(),
      finish: () => {
        const blob = writer.finish();
        this.#blobs.set(id, blob);
        return blob;
      },
    };
  }

  #fileWriter(id: string): BlobWriter {
    const path = join(this.#folder!, id);
    // A name of its own: a crash must not leave half of a content under the final name.
    const fd = openSync(`${path}.part`, "w+", 0o600);
    let size = 0;
    return {
      write(bytes) {
        writeAll(fd, bytes);
        size += bytes.length;
      },
      finish() {
        fsyncSync(fd);
        renameSync(`${path}.part`, path);
        return { size, read: readerOf(fd) };
      },
      abort: () => closeSync(fd),
    };
  }

  /** The content of `id`, whose size is known from its record. */
  get(id: string, size: number): Blob {
    let blob = this.#blobs.get(id);
    if (blob === undefined) {
      if (this.#folder === undefined) throw new Error(`there is no content ${id}`);
      blob = { size, read: readerOf(openSync(join(this.#folder, id), "r")) };
      this.#blobs.set(id, blob);
    }
    return blob;
  }
}

/** The bytes of a content, as a stream. */
export function streamOf({ size, read }: Blob): ReadableStream<Uint8Array<ArrayBuffer>> {
  let position = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = Buffer.alloc(Math.min(CHUNK, size - position));
      const length = chunk.length === 0 ? 0 : read(chunk, position);
      if (length === 0) return controller.close();
      position += length;
      controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, length));
    },
  });
}
