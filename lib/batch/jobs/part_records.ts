/**
 * Reads the records of a part from disk, one at a time: in memory are only their positions.
 *
 * @module
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { JournalError } from "../../errors.ts";
import { readLinesSync } from "../../files/lines.ts";
import type { IndexedRecord } from "../executor.ts";
import { readAt } from "../journal/append_file.ts";
import type { PartState } from "./part_events.ts";
import { decodePartRecord, rowIdOfLine } from "./part_record_line.ts";
import type { PartRecords } from "./part_store.ts";
import { NONCE_LENGTH, parseRowId } from "./row_id.ts";

function damaged(name: string, problem: string, { part, job }: PartState): JournalError {
  const owner = job === undefined ? `the part ${part}` : `the provider's job ${job.id}`;
  return new JournalError(`${name} ${problem}`, {
    hint: `It has the records of ${owner}, whose answers cannot be collected without it. ` +
      "Restore it from a backup.",
  });
}

function open(path: string, name: string, part: PartState): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    if (isMissing) throw damaged(name, "is missing", part);
    throw damaged(name, `cannot be read: ${cause instanceof Error ? cause.message : cause}`, part);
  }
}

/** The records in a file. */
export class FileRecords implements PartRecords {
  readonly indexes: readonly number[];
  readonly #part: PartState;
  readonly #name: string;
  readonly #fd: number;
  /** Where the lines start, and the end of the last one. */
  readonly #offsets: Float64Array;
  readonly #fingerprints: Uint32Array;
  /** The rows in the order of their indexes; `undefined` if that is the order of the file. */
  readonly #sorted: Uint32Array | undefined;

  /**
   * @param path the file with the records of `part`
   * @param name the path for messages
   * @throws {JournalError} if it cannot be read, or has other content
   */
  constructor(part: PartState, path: string, name: string) {
    this.#part = part;
    this.#name = name;
    this.#fd = open(path, name, part);
    // Each record has its row's id. A number that is too large would take all memory.
    if (fstatSync(this.#fd).size < part.rows * NONCE_LENGTH) {
      closeSync(this.#fd);
      throw damaged(name, `has fewer than ${part.rows} records`, part);
    }
    this.#offsets = new Float64Array(part.rows + 1);
    this.#fingerprints = new Uint32Array(part.rows);
    const indexes = new Array<number>(part.rows);
    this.indexes = indexes;
    try {
      this.#scan(indexes);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
    if (indexes.some((index, i) => i > 0 && index < indexes[i - 1])) {
      this.#sorted = Uint32Array.from(indexes.keys()).sort((a, b) => indexes[a] - indexes[b]);
    }
  }

  find(rowId: string): IndexedRecord | undefined {
    const id = parseRowId(rowId);
    if (id === undefined || id.nonce !== this.#part.part) return undefined;
    const row = this.#rowOf(id.index);
    if (row === undefined || this.#fingerprints[row] !== id.fingerprint) return undefined;
    return this.#read(row);
  }

  atLine(line: number): IndexedRecord | undefined {
    const isRow = Number.isInteger(line) && line >= 1 && line <= this.#part.rows;
    return isRow ? this.#read(line - 1) : undefined;
  }

  get(index: number): IndexedRecord | undefined {
    const row = this.#rowOf(index);
    return row === undefined ? undefined : this.#read(row);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #scan(indexes: number[]): void {
    const { part, rows } = this.#part;
    let row = 0;
    for (const { text, offset, length, number, ended } of readLinesSync(this.#fd)) {
      const id = parseRowId(rowIdOfLine(text) ?? "");
      if (id === undefined || id.nonce !== part || !ended) {
        throw damaged(`${this.#name}:${number}`, "is not a record of its part", this.#part);
      }
      if (row === rows) throw damaged(this.#name, `has more than ${rows} records`, this.#part);
      indexes[row] = id.index;
      this.#offsets[row] = offset;
      this.#offsets[row + 1] = offset + length + 1;
      this.#fingerprints[row] = id.fingerprint;
      row++;
    }
    if (row < rows) {
      throw damaged(this.#name, `has ${row} records instead of ${rows}`, this.#part);
    }
  }

  /** The row of a record, from 0. */
  #rowOf(index: number): number | undefined {
    let low = 0;
    let high = this.indexes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.indexes[this.#sorted?.[middle] ?? middle] < index) low = middle + 1;
      else high = middle;
    }
    if (low === this.indexes.length) return undefined;
    const row = this.#sorted?.[low] ?? low;
    return this.indexes[row] === index ? row : undefined;
  }

  #read(row: number): IndexedRecord {
    // Answers come in any order, so nothing is read ahead.
    const [offset, end] = this.#offsets.subarray(row, row + 2);
    const record = decodePartRecord(readAt(this.#fd, offset, end - offset).toString("utf8"));
    if (record?.index === this.indexes[row]) return record;
    throw damaged(`${this.#name}:${row + 1}`, "is not a record of its part", this.#part);
  }
}
