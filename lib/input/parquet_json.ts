/**
 * Writes the values of a Parquet file as JSON.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import type { ParquetParsers } from "hyparquet";
import { isRawNumber, parseExact } from "../json/json.ts";

/** A time with all its digits, as ISO 8601. `Date` has milliseconds only. */
function timestamp(value: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const fraction = ((value % unit) + unit) % unit;
  const date = new Date(Number((value - fraction) / unit) * 1000);
  if (Number.isNaN(date.getTime())) return String(value);
  const shown = fraction === 0n ? "" : `.${String(fraction).padStart(digits, "0")}`;
  return `${date.toISOString().slice(0, -5)}${shown.replace(/0+$/, "")}Z`;
}

/** A time of day as ISO 8601. */
function timeOfDay(value: bigint, digits: number): string {
  return timestamp(BigInt(value), digits).slice("1970-01-01T".length, -1);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Converts values as JSON writes them: dates and times as ISO 8601, JSON with its exact numbers. */
export const PARSERS: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value: bigint) => timestamp(value, 3),
  timestampFromMicroseconds: (value: bigint) => timestamp(value, 6),
  timestampFromNanoseconds: (value: bigint) => timestamp(value, 9),
  dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && textOf(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && parseExact(textOf(bytes)),
};

/** Converts times of day, which are decoded like timestamps of the first day. */
export const TIME_PARSERS: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value: bigint) => timeOfDay(value, 3),
  timestampFromMicroseconds: (value: bigint) => timeOfDay(value, 6),
  timestampFromNanoseconds: (value: bigint) => timeOfDay(value, 9),
};

/** Serializes rows. Binary values, such as the bytes of an image, are left out. */
export class RowSerializer {
  readonly #binary = new Set<string>();

  /** The paths of the fields in which values were left out. */
  get binaryFields(): string[] {
    return [...this.#binary].sort();
  }

  /** A row as a JSON object. `null` is written for columns, but not for fields inside them. */
  row(row: Record<string, unknown>): string {
    let text = "";
    for (const name of Object.keys(row)) {
      const value = this.#value(row[name], name);
      if (value === undefined) continue;
      text += `${text === "" ? "{" : ","}${JSON.stringify(name)}:${value}`;
    }
    return text === "" ? "{}" : `${text}}`;
  }

  #value(value: unknown, path: string): string | undefined {
    switch (typeof value) {
      case "string":
      case "boolean":
        return JSON.stringify(value);
      case "number":
        return Number.isFinite(value) ? JSON.stringify(value) : "null";
      case "bigint":
        return String(value);
      case "object":
        return value === null ? "null" : this.#object(value, path);
      default:
        return "null";
    }
  }

  #object(value: object, path: string): string | undefined {
    if (value instanceof Uint8Array) {
      if (isUtf8(value)) return JSON.stringify(textOf(value));
      this.#binary.add(path);
      return undefined;
    }
    if (Array.isArray(value) || ArrayBuffer.isView(value)) {
      const items = Array.from(value as unknown[], (item) => this.#value(item, path) ?? "null");
      return `[${items.join(",")}]`;
    }
    // Dates are strings already, unless a later version has other parsers.
    if (value instanceof Date) return JSON.stringify(value);
    if (isRawNumber(value)) return value.rawJSON;
    let text = "";
    for (const [name, field] of Object.entries(value)) {
      // In Arrow every record of a list has all fields: null says that a record lacks it.
      if (field === null || field === undefined) continue;
      const json = this.#value(field, `${path}.${name}`);
      if (json !== undefined) text += `${text === "" ? "{" : ","}${JSON.stringify(name)}:${json}`;
    }
    return text === "" ? "{}" : `${text}}`;
  }
}
