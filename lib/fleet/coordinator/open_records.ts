/**
 * The records that a coordinator has given to its workers, and that are not answered yet.
 *
 * @module
 */
import type { IndexedRecord } from "../../batch/executor.ts";

/** A record that is not answered yet. */
export interface OpenRecord {
  record: IndexedRecord;
  /** Identifies its content. */
  hash: string;
  /** Characters, as far as they are known. */
  size: number;
  /** How many copies workers have, or will get. */
  copies: number;
  /** How often workers have given it back because of an error of theirs. */
  failures: number;
}

/** Maximum characters of all open records. */
const MAX_SIZE = 64 * 1024 * 1024;

/** The open records, by index. */
export class OpenRecords {
  readonly #records = new Map<number, OpenRecord>();
  #size = 0;

  /** Their number. */
  get count(): number {
    return this.#records.size;
  }

  /** Whether another record fits into a window of `count` records. */
  hasRoom(count: number): boolean {
    return this.#records.size < count && this.#size < MAX_SIZE;
  }

  add(open: OpenRecord): void {
    this.#records.set(open.record.index, open);
    this.#size += open.size;
  }

  get(index: number): OpenRecord | undefined {
    return this.#records.get(index);
  }

  delete(index: number): void {
    const open = this.#records.get(index);
    if (open === undefined) return;
    this.#records.delete(index);
    this.#size -= open.size;
  }

  /** Drops one copy of a record. Returns whether it was the last one. */
  dropCopy(index: number): boolean {
    const open = this.#records.get(index);
    if (open === undefined) return false;
    open.copies--;
    return open.copies <= 0;
  }

  clear(): void {
    this.#records.clear();
    this.#size = 0;
  }

  values(): IterableIterator<OpenRecord> {
    return this.#records.values();
  }
}
