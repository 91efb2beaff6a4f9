/**
 * Converts Parquet files to JSON lines: each row becomes an object with the columns as fields.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import { parquetMetadataAsync } from "hyparquet";
import { InvalidInputError } from "../errors.ts";
import { TemporaryFile } from "../files/temporary_file.ts";
import type { InputFile } from "./input_source.ts";
import { BufferedWriter } from "../files/buffered_writer.ts";
import { parquetRows, type ReadRange } from "./parquet_columns.ts";
import { PARSERS, RowSerializer } from "./parquet_json.ts";

/** Reads ranges of an open file. */
function rangeReader(fd: number): ReadRange {
  return (start, end) => {
    const bytes = Buffer.from(new ArrayBuffer(Math.max(0, end - start)));
    for (let read = 0; read < bytes.length;) {
      const count = readSync(fd, bytes, read, bytes.length - read, start + read);
      if (count === 0) throw new Error("the file ends too early");
      read += count;
    }
    return bytes.buffer as ArrayBuffer;
  };
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
  const read = rangeReader(input.fd);
  const temporary = new TemporaryFile(name);
  const serializer = new RowSerializer();
  try {
    const writer = new BufferedWriter((bytes) => temporary.write(bytes));
    const metadata = await parquetMetadataAsync({
      byteLength: size,
      slice: (start, end = size) => read(start, end),
    });
    for (const row of parquetRows(metadata, read, PARSERS)) {
      writer.text(`${serializer.row(row)}\n`);
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
