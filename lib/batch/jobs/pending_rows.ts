/**
 * Supplies the records that have to be sent: first those that have to be sent again, then the input.
 *
 * @module
 */
import { abortable } from "../../runtime/abortable.ts";
import type { IndexedRecord } from "../executor.ts";
import type { EarlierRows } from "./earlier_rows.ts";
import type { PartRecords } from "./part_store.ts";

/** The input of a run. */
export type Records = Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>;

/** Records of a part whose rows are free again. */
interface Requeued {
  indexes: readonly number[];
  records: PartRecords;
  next: number;
  onTaken: () => void;
}

/** What the supply of records depends on. */
export interface PendingRowsOptions {
  earlier: EarlierRows;
  /** Called with a record that differs from the one that was submitted. */
  onChanged: (record: IndexedRecord) => void;
  signal: AbortSignal;
}

/** The records that have to be sent. */
export class PendingRows {
  readonly #input: Iterator<IndexedRecord> | AsyncIterator<IndexedRecord>;
  readonly #options: PendingRowsOptions;
  readonly #requeued: Requeued[] = [];
  #isInputRead = false;
  /** A record that was read ahead. */
  #peeked: IndexedRecord | undefined;

  constructor(records: Records, options: PendingRowsOptions) {
    this.#input = Symbol.asyncIterator in records
      ? records[Symbol.asyncIterator]()
      : records[Symbol.iterator]();
    this.#options = options;
    this.#isInputRead = Array.isArray(records) && records.length === 0;
  }

  /** Whether there are no more records. */
  get isEmpty(): boolean {
    return this.#isInputRead && this.#requeued.length === 0 && this.#peeked === undefined;
  }

  /**
   * Adds records that have to be sent again.
   *
   * @param records where they are read from; closed when all are taken
   * @param onTaken called when all are taken, and are in other parts
   */
  requeue(indexes: readonly number[], records: PartRecords, onTaken: () => void): void {
    this.#requeued.push({ indexes, records, next: 0, onTaken });
  }

  /**
   * The next record, `undefined` if there is none.
   *
   * @throws {AbortedError} if the signal is aborted
   */
  async next(): Promise<IndexedRecord | undefined> {
    const peeked = this.#peeked;
    this.#peeked = undefined;
    return peeked ?? await this.#read();
  }

  /** Whether there is another record, which may need a look at the input. */
  async hasMore(): Promise<boolean> {
    this.#peeked ??= await this.#read();
    return this.#peeked !== undefined;
  }

  async #read(): Promise<IndexedRecord | undefined> {
    const { signal, earlier, onChanged } = this.#options;
    const again = this.#nextRequeued();
    if (again !== undefined) return again;
    while (!this.#isInputRead) {
      const pulled = this.#input.next();
      const step = pulled instanceof Promise ? await abortable(pulled, signal) : pulled;
      if (step.done) {
        this.#isInputRead = true;
        break;
      }
      const record = step.value;
      if (!earlier.has(record.index)) return record;
      if (!earlier.isUnchanged(record)) onChanged(record);
    }
    return undefined;
  }

  /** Closes everything. The records that were not taken belong to no part. */
  close(): void {
    for (const { records } of this.#requeued.splice(0)) records[Symbol.dispose]();
    // Not awaited: the input may be a terminal that nobody types into.
    if (!this.#isInputRead) void Promise.resolve(this.#input.return?.()).catch(() => {});
  }

  #nextRequeued(): IndexedRecord | undefined {
    while (this.#requeued.length > 0) {
      const source = this.#requeued[0];
      if (source.next < source.indexes.length) {
        return source.records.get(source.indexes[source.next++]);
      }
      this.#requeued.shift();
      source.records[Symbol.dispose]();
      source.onTaken();
    }
    return undefined;
  }
}
