/**
 * Writes Parquet files, in flat memory: one row group after the other.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  ByteWriter,
  type ColumnSource,
  ParquetWriter,
  schemaFromColumnData,
} from "hyparquet-writer";
import { cellText, rawNumber } from "../cell_text.ts";
import type { TableWriter, WriteBytes } from "./table_writer.ts";

/** The type of a column. Nested values are text: their JSON. */
export type ColumnType = "BOOLEAN" | "INT64" | "DOUBLE" | "STRING";

/** Rows of a row group. */
const GROUP_ROWS = 20_000;
/** Characters of texts of a row group after which it is written, however few its rows are. */
const GROUP_CHARACTERS = 16_000_000;

function typeOf(value: unknown): ColumnType | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return "BOOLEAN";
  if (typeof value === "number") return Number.isSafeInteger(value) ? "INT64" : "DOUBLE";
  const raw = rawNumber(value);
  return raw !== undefined && isInt64(raw) ? "INT64" : "STRING";
}

function isInt64(text: string): boolean {
  return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** Finds the types of columns in one pass over the rows. */
export class ColumnTypes {
  readonly #types: (ColumnType | undefined)[];

  /** @param count the number of columns */
  constructor(count: number) {
    this.#types = Array.from({ length: count });
  }

  /** Adds a row. */
  add(values: readonly unknown[]): void {
    for (let i = 0; i < values.length; i++) {
      if (this.#types[i] === "STRING") continue;
      const type = typeOf(values[i]);
      const known = this.#types[i];
      if (type === undefined || type === known) continue;
      const isNumeric = (each: ColumnType) => each === "INT64" || each === "DOUBLE";
      if (known === undefined) this.#types[i] = type;
      else this.#types[i] = isNumeric(known) && isNumeric(type) ? "DOUBLE" : "STRING";
    }
  }

  /** The types. A column without a value has text. */
  get list(): ColumnType[] {
    return this.#types.map((type) => type ?? "STRING");
  }
}

function converted(value: unknown, type: ColumnType): unknown {
  if (value === undefined || value === null) return null;
  if (type === "STRING") return cellText(value);
  if (type === "BOOLEAN") return value;
  const raw = rawNumber(value);
  if (type === "INT64") return BigInt(raw ?? value as number);
  return Number(raw ?? value);
}

/** Passes what is written to a function, and keeps nothing. */
class PassingWriter extends ByteWriter {
  readonly #write: WriteBytes;

  constructor(write: WriteBytes) {
    super(1 << 16);
    this.#write = write;
  }

  /** Called after each row group. */
  flush(): void {
    this.#write(Buffer.from(this.buffer, 0, this.index));
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** A writer of a Parquet file. */
export class ParquetTableWriter implements TableWriter {
  readonly #names: readonly string[];
  readonly #types: readonly ColumnType[];
  readonly #file: ParquetWriter;
  #columns: unknown[][];
  #characters = 0;

  constructor(names: readonly string[], types: readonly ColumnType[], write: WriteBytes) {
    this.#names = names;
    this.#types = types;
    this.#columns = names.map(() => []);
    this.#file = new ParquetWriter({
      writer: new PassingWriter(write),
      schema: schemaFromColumnData({ columnData: this.#data(true) }),
    });
  }

  row(values: readonly unknown[]): void {
    for (let i = 0; i < this.#types.length; i++) {
      const value = converted(values[i], this.#types[i]);
      if (typeof value === "string") this.#characters += value.length;
      this.#columns[i].push(value);
    }
    const rows = this.#columns[0]?.length ?? 0;
    if (rows >= GROUP_ROWS || this.#characters >= GROUP_CHARACTERS) this.#writeGroup();
  }

  end(): void {
    if ((this.#columns[0]?.length ?? 0) > 0) this.#writeGroup();
    this.#file.finish();
  }

  #data(isTyped: boolean): ColumnSource[] {
    return this.#names.map((name, i) => ({
      name,
      data: this.#columns[i],
      ...isTyped ? { type: this.#types[i], nullable: true } : {},
    }));
  }

  #writeGroup(): void {
    this.#file.write({ columnData: this.#data(false), rowGroupSize: GROUP_ROWS });
    this.#columns = this.#names.map(() => []);
    this.#characters = 0;
  }
}
