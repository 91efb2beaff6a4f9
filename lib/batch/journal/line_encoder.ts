/**
 * Encodes journal lines. A line can also be ready-made bytes, from another process or a provider's result
 * file, which are written without being parsed.
 *
 * @module
 */
import { ByteBuffer } from "../../json/byte_buffer.ts";
import { encodeRecord, type LineFacts, type ResultRecord } from "./result_line.ts";

const CLOSING_BRACE = 0x7d;

/** A line ready to be written. */
export interface JournalLine extends LineFacts {
  /** One JSON object, without a newline: text, or UTF-8. */
  json: string | Uint8Array;
}

/** The line of a record. */
export function journalLine(record: ResultRecord): JournalLine {
  const { index, requested_model, status, cost, spent_before } = record;
  return { index, requested_model, status, cost, spent_before, json: encodeRecord(record) };
}

/** Encodes lines into a buffer that is reused. */
export class LineEncoder {
  readonly #buffer = new ByteBuffer();

  /**
   * Encodes `lines`, with newlines. The bytes are valid until the next call.
   *
   * @param spentOn the cost of earlier answers to a record, which is added to a line that lacks it
   */
  encode(
    lines: readonly JournalLine[],
    spentOn: (line: LineFacts) => number,
  ): { bytes: Uint8Array; lengths: number[] } {
    const buffer = this.#buffer;
    buffer.clear();
    const lengths = lines.map((line) => {
      const start = buffer.length;
      const spent = line.spent_before === undefined ? spentOn(line) : 0;
      this.#add(line.json, spent === 0 ? "\n" : `,"spent_before":${spent}}\n`, spent !== 0);
      return buffer.length - start;
    });
    return { bytes: buffer.bytes, lengths };
  }

  /** Adds `json` and `end`. If `isOpen`, `end` replaces the closing brace. */
  #add(json: string | Uint8Array, end: string, isOpen: boolean): void {
    // Added one after the other: joining them would copy the line.
    if (typeof json === "string") {
      this.#buffer.addText(isOpen ? json.slice(0, json.lastIndexOf("}")) : json);
    } else {
      this.#buffer.addBytes(isOpen ? json.subarray(0, json.lastIndexOf(CLOSING_BRACE)) : json);
    }
    this.#buffer.addText(end);
  }
}
