/**
 * Reads the columns of a Parquet file page by page, so that memory does not depend on the size of its row
 * groups. `hyparquet` decodes the pages; its own readers hold whole columns of a row group.
 *
 * @module
 */
import type {
  ColumnMetaData,
  Compressors,
  FileMetaData,
  ParquetParsers,
  RowGroup,
} from "hyparquet";
import { parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { assembleNested } from "hyparquet/src/assemble.js";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { getTreePath } from "hyparquet/src/schema.js";
import { TIME_PARSERS } from "./parquet_json.ts";

/** Reads the bytes of a file from `start` to `end`. */
export type ReadRange = (start: number, end: number) => ArrayBuffer;

/** How values are decoded. */
interface Decoding {
  read: ReadRange;
  schema: ReturnType<typeof parquetSchema>;
  parsers: ParquetParsers;
}

/** Rows that are returned at a time. */
const BATCH = 256;
/** Bytes in which the header of a page is expected. A larger one is read again. */
const HEADER_SIZE = 1 << 12;

/** Decompressors by codec. That for LZ4 fails on the empty content of pages without values. */
const COMPRESSORS: Compressors = Object.fromEntries(
  Object.entries(compressors).map(([codec, decompress]) => [
    codec,
    (input: Uint8Array, length: number) =>
      length === 0 ? new Uint8Array(0) : decompress(input, length),
  ]),
);

type Decoder = Parameters<typeof readPage>[2];

/** The unit of a column with times of day; `undefined` for any other column. */
function timeUnit(element: Decoder["element"]): "MILLIS" | "MICROS" | "NANOS" | undefined {
  const { converted_type: converted, logical_type: logical } = element;
  if (converted === "TIME_MILLIS") return "MILLIS";
  if (converted === "TIME_MICROS") return "MICROS";
  return logical?.type === "TIME" ? logical.unit : undefined;
}

/** What `hyparquet` needs to decode times of day, which it leaves as integers: it decodes timestamps. */
function timeDecoding(element: Decoder["element"]): Partial<Decoder> {
  const unit = timeUnit(element);
  if (unit === undefined) return {};
  return {
    element: {
      ...element,
      converted_type: undefined,
      logical_type: { type: "TIMESTAMP", isAdjustedToUTC: false, unit },
    },
    parsers: { ...DEFAULT_PARSERS, ...TIME_PARSERS },
  };
}

/** Reads one physical column of a row group in order. */
class ColumnReader {
  readonly path: string[];
  readonly #read: ReadRange;
  readonly #decoder: Decoder;
  #position: number;
  readonly #end: number;
  #dictionary: Parameters<typeof readPage>[3];
  /** Decoded rows. The next page may continue the last one. */
  #rows: unknown[] = [];
  #start = 0;

  constructor(column: ColumnMetaData, { read, schema, parsers }: Decoding) {
    const { path_in_schema: path, dictionary_page_offset, data_page_offset } = column;
    const schemaPath = getTreePath(schema, path);
    const { element } = schemaPath[schemaPath.length - 1];
    this.path = path;
    this.#read = read;
    this.#decoder = {
      ...column,
      ...{ pathInSchema: path, element, schemaPath, parsers, compressors: COMPRESSORS },
      // Content decides whether a column is text: old writers mark neither text nor binary data.
      utf8: false,
      ...timeDecoding(element),
    };
    this.#position = Number(dictionary_page_offset || data_page_offset);
    this.#end = this.#position + Number(column.total_compressed_size);
  }

  /** The next `count` rows. */
  take(count: number): unknown[] {
    // One more, so that no page can continue the last one that is returned.
    while (this.#rows.length - this.#start <= count && this.#position < this.#end) this.#nextPage();
    if (this.#rows.length - this.#start < count) throw new Error("a column has too few rows");
    const taken = this.#rows.slice(this.#start, this.#start + count);
    this.#start += count;
    return taken;
  }

  /** Reads the header of the page at the current position. */
  #header(): { header: ReturnType<typeof parquetHeader>; length: number } {
    for (let size = HEADER_SIZE;; size *= 16) {
      const end = Math.min(this.#position + size, this.#end);
      const reader = { view: new DataView(this.#read(this.#position, end)), offset: 0 };
      try {
        const header = parquetHeader(reader);
        if (reader.offset <= reader.view.byteLength) return { header, length: reader.offset };
      } catch (error) {
        if (!(error instanceof RangeError) || end === this.#end) throw error;
      }
      if (end === this.#end) throw new Error("the header of a page ends too early");
    }
  }

  #nextPage(): void {
    const { header, length } = this.#header();
    const start = this.#position + length;
    this.#position = start + header.compressed_page_size;
    const reader = { view: new DataView(this.#read(start, this.#position)), offset: 0 };
    if (header.type === "DICTIONARY_PAGE") {
      const { data } = readPage(reader, header, this.#decoder, undefined, undefined, 0);
      if (data !== undefined) this.#dictionary = convert(data, this.#decoder);
      return;
    }
    const hasRows = this.#rows.length > this.#start;
    const last = hasRows ? [this.#rows[this.#rows.length - 1]] : undefined;
    const { data } = readPage(reader, header, this.#decoder, this.#dictionary, last, 0);
    if (data === undefined) return;
    const rows = this.#rows.slice(this.#start);
    // A row that the page continues was extended in place.
    for (let i = data === last ? 1 : 0; i < data.length; i++) rows.push(data[i]);
    this.#rows = rows;
    this.#start = 0;
  }
}

/** Yields the rows of one row group. */
function* groupRows(group: RowGroup, decoding: Decoding): Generator<Record<string, unknown>> {
  const { schema, parsers } = decoding;
  const readers = group.columns.map(({ meta_data }) => {
    if (meta_data === undefined) throw new Error("a column has no metadata");
    return new ColumnReader(meta_data, decoding);
  });
  const total = Number(group.num_rows);
  for (let done = 0; done < total; done += BATCH) {
    const count = Math.min(BATCH, total - done);
    const columns: [name: string, values: ArrayLike<unknown>][] = schema.children.map((child) => {
      const { name } = child.element;
      const own = readers.filter(({ path }) => path[0] === name);
      if (child.children.length === 0) return [name, own[0].take(count)];
      const parts = new Map(own.map((reader) => [reader.path.join("."), reader.take(count)]));
      assembleNested(parts, child, parsers);
      return [name, parts.get(name)!];
    });
    for (let i = 0; i < count; i++) {
      const row: Record<string, unknown> = {};
      for (const [name, values] of columns) row[name] = values[i];
      yield row;
    }
  }
}

/**
 * Yields all rows of a file as objects.
 *
 * @param parsers converts values of some types; the others are those of hyparquet
 * @throws {Error} if the file is damaged
 */
export function* parquetRows(
  metadata: FileMetaData,
  read: ReadRange,
  parsers: Partial<ParquetParsers>,
): Generator<Record<string, unknown>, void, void> {
  const schema = parquetSchema(metadata);
  const decoding = { read, schema, parsers: { ...DEFAULT_PARSERS, ...parsers } };
  for (const group of metadata.row_groups) yield* groupRows(group, decoding);
}
