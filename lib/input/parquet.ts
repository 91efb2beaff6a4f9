/**
 * Converts Parquet files to JSON lines: each row becomes an object with the columns as fields.
 *
 * @module
 */
import { readSync } from "node:fs";
import { Buffer } from "node:buffer";
import { type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { InvalidInputError } from "../errors.ts";
import { TemporaryFile } from "../files/temporary_file.ts";
import type { InputFile } from "./input_source.ts";
import { LineWriter } from "./line_writer.ts";
import { PARSERS, RowSerializer } from "./parquet_json.ts";

/** Decoded bytes that are held at a time, roughly. */
const WINDOW = 32 << 20;

/** The file as hyparquet reads it. */
function asyncBuffer(fd: number, byteLength: number) {
  return {
    byteLength,
    slice(start: number, end = byteLength): ArrayBuffer {
      const bytes = Buffer.from(new ArrayBuffer(Math.max(0, end - start)));
      for (let read = 0; read < bytes.length;) {
        const count = readSync(fd, bytes, read, bytes.length - read, start + read);
        if (count === 0) throw new Error("the file ends too early");
        read += count;
      }
      return bytes.buffer as ArrayBuffer;
    },
  };
}

/** Yields ranges of rows within row groups, each of about {@link WINDOW} bytes. */
function* rowRanges({ row_groups }: FileMetaData): Generator<[start: number, end: number]> {
  let start = 0;
  for (const group of row_groups) {
    const rows = Number(group.num_rows);
    const bytesPerRow = Math.max(1, Number(group.total_byte_size) / Math.max(1, rows));
    const count = Math.max(100, Math.floor(WINDOW / bytesPerRow));
    for (let from = 0; from < rows; from += count) {
      yield [start + from, start + Math.min(rows, from + count)];
    }
    start += rows;
  }
}

function damaged(name: string, cause: unknown): InvalidInputError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new InvalidInputError(`cannot read the Parquet file ${name}: ${message}`, {
    cause,
    hint: "Nothing was sent. The file may be truncated or damaged: download or create it again.",
  });
}

/**
 * Converts the Parquet file `input` to JSON lines in a temporary file, and closes it.
 *
 * @param size its size in bytes
 * @throws {InvalidInputError} if it is truncated or damaged
 */
export async function readParquet(input: InputFile, size: number): Promise<InputFile> {
  const { name } = input;
  const source = asyncBuffer(input.fd, size);
  const temporary = new TemporaryFile(name);
  const serializer = new RowSerializer();
  try {
    const writer = new LineWriter(temporary);
    const metadata = await parquetMetadataAsync(source);
    for (const [rowStart, rowEnd] of rowRanges(metadata)) {
      const rows = await parquetReadObjects({
        file: source,
        metadata,
        rowStart,
        rowEnd,
        compressors,
        parsers: PARSERS as never,
        // Binary columns are told from text by their content, since old writers mark neither.
        utf8: false,
      });
      for (const row of rows) writer.text(`${serializer.row(row)}\n`);
    }
    writer.flush();
  } catch (error) {
    temporary.close();
    throw error instanceof InvalidInputError ? error : damaged(name, error);
  }
  input.close();
  const binary = serializer.binaryFields.map((path) => JSON.stringify(path)).join(", ");
  return {
    name,
    fd: temporary.fd,
    origin: "row",
    notes: binary === "" ? [] : [`${name}: binary values are left out: ${binary}`],
    close: () => temporary.close(),
  };
}
