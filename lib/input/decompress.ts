/**
 * Decompresses gzip and zstd files to a temporary file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { InvalidInputError } from "../errors.ts";
import { TemporaryFile } from "../files/temporary_file.ts";
import { chunksOf } from "./chunks.ts";
import type { InputFile } from "./input_source.ts";

/** A compression that inputs can have. */
export type Compression = "gzip" | "zstd";

/** The compression that the first bytes of a file identify. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.length >= 2 && head.readUInt16BE() === 0x1f8b) return "gzip";
  if (head.length < 4) return undefined;
  const magic = head.readUInt32LE();
  // Zstandard's frames, and the skippable ones that some tools write first (RFC 8878).
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5 ? "zstd" : undefined;
}

/** Decompresses gzip data. Trailing zeros, with which tapes are filled, are ignored. */
async function decompressGzip(chunks: Iterable<Buffer>, write: (bytes: Buffer) => void) {
  const writing = new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        write(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  await pipeline(Readable.from(chunks), createGunzip(), writing);
}

function failure(name: string, compression: Compression, cause: unknown): InvalidInputError {
  const { message, code } = cause as NodeJS.ErrnoException;
  const isTruncated = code === "Z_BUF_ERROR" || code === "ZSTD_TRUNCATED";
  const reason = isTruncated
    ? `is truncated: the ${compression} data ends too early`
    : `is damaged: ${message}`;
  return new InvalidInputError(`${name} ${reason}`, {
    cause,
    hint: `Nothing was sent. Download or create the file again; ${compression} -t tests it.`,
  });
}

/**
 * Decompresses `input` to a temporary file, and closes it.
 *
 * @throws {InvalidInputError} if it is corrupt or truncated, or the disk is full
 */
export async function decompress(input: InputFile, compression: Compression): Promise<InputFile> {
  const { name } = input;
  const file = new TemporaryFile(name);
  const chunks = chunksOf(input.read ?? input.fd);
  const write = (bytes: Uint8Array) =>
    file.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  try {
    if (compression === "gzip") await decompressGzip(chunks, write);
    else await (await import("./zstd.ts")).decompressZstd(chunks, write);
  } catch (error) {
    file.close();
    throw error instanceof InvalidInputError ? error : failure(name, compression, error);
  }
  input.close();
  return { name, fd: file.fd, close: () => file.close() };
}
