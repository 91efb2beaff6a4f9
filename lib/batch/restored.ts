/**
 * Handles the records of a batch that its journal already has: skips them, or yields their stored results.
 *
 * @module
 */
import type { Executor, IndexedRecord, Outcome } from "./executor.ts";
import type { BatchItem } from "./items.ts";

type Records = Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>;
type Step = IteratorResult<IndexedRecord, void>;

/** Returns the item of a record that the journal has; `undefined` for other records. */
export type Restore = (record: IndexedRecord) => BatchItem | undefined;

/** The records for which `isDone` is false. Synchronous for a synchronous input, which is faster. */
export function skipDone(records: Records, isDone: (record: IndexedRecord) => boolean): Records {
  return Symbol.asyncIterator in records
    ? skipDoneAsync(records, isDone)
    : skipDoneSync(records, isDone);
}

function* skipDoneSync(
  records: Iterable<IndexedRecord>,
  isDone: (record: IndexedRecord) => boolean,
) {
  for (const record of records) if (!isDone(record)) yield record;
}

async function* skipDoneAsync(
  records: AsyncIterable<IndexedRecord>,
  isDone: (record: IndexedRecord) => boolean,
) {
  for await (const record of records) if (!isDone(record)) yield record;
}

/** The number of buffered items at which reading the input pauses. */
const MAX_BUFFERED = 100;
const END: Step = { done: true, value: undefined };

/** Iterates over the records to send, and buffers the items of the others. */
class PendingRecords implements AsyncIterableIterator<IndexedRecord, void> {
  readonly #source: Iterator<IndexedRecord> | AsyncIterator<IndexedRecord>;
  readonly #restore: Restore;
  #restored: BatchItem[] = [];
  #isClosed = false;
  #onRestored: () => void = () => {};
  #onTaken: () => void = () => {};

  constructor(records: Records, restore: Restore) {
    this.#source = Symbol.asyncIterator in records
      ? records[Symbol.asyncIterator]()
      : records[Symbol.iterator]();
    this.#restore = restore;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Returns the next record to send, without a promise if the input is synchronous. Both `for await` and the
   * slot pool accept that, and it lets records start in the same turn of the event loop, finish together and
   * be written together.
   */
  next(): Promise<Step> {
    while (this.#hasRoom) {
      const step = this.#source.next();
      if (step instanceof Promise) return this.#nextAsync(step);
      if (!this.#isRestored(step)) return step as unknown as Promise<Step>;
    }
    return this.#nextAsync(undefined);
  }

  async #nextAsync(read: Promise<Step> | undefined): Promise<Step> {
    let step = await read;
    while (step === undefined || this.#isRestored(step)) {
      while (!this.#hasRoom && !this.#isClosed) {
        await new Promise<void>((resolve) => this.#onTaken = resolve);
      }
      if (this.#isClosed) return END;
      step = await this.#source.next();
    }
    return step;
  }

  get #hasRoom(): boolean {
    return this.#restored.length < MAX_BUFFERED;
  }

  /** Buffers the item of a step's record if the record is done; returns whether it is. */
  #isRestored(step: Step): boolean {
    const item = step.done ? undefined : this.#restore(step.value);
    if (item === undefined) return false;
    this.#restored.push(item);
    this.#onRestored();
    return true;
  }

  /** Resolves once there are restored items. */
  async ready(): Promise<void> {
    if (this.#restored.length > 0) return;
    await new Promise<void>((resolve) => this.#onRestored = resolve);
  }

  /** Takes the restored items out of the buffer. */
  take(): BatchItem[] {
    const items = this.#restored;
    this.#restored = [];
    this.#onTaken();
    return items;
  }

  /** Ends the iteration and closes the input. */
  async return(): Promise<Step> {
    this.#isClosed = true;
    this.#onTaken();
    await this.#source.return?.();
    return END;
  }
}

/**
 * Yields the outcomes of new records and, in between, the items of restored ones. The executor only
 * receives the new ones.
 */
export async function* withRestored(
  executor: Executor,
  records: Records,
  restore: Restore,
): AsyncGenerator<
  { outcomes: readonly Outcome[] } | { restored: BatchItem[] },
  void,
  void
> {
  const pending = new PendingRecords(records, restore);
  const groups = executor.run(pending)[Symbol.asyncIterator]();
  try {
    let next = groups.next();
    while (true) {
      // Restored items come first: an error of the input must not hide those read before it.
      const step = await Promise.race([pending.ready(), next]);
      const restored = pending.take();
      if (restored.length > 0) yield { restored };
      if (step === undefined) continue;
      if (step.done) return;
      yield { outcomes: step.value };
      next = groups.next();
    }
  } finally {
    // Not awaited: requests may still be in flight, and the run aborts them next.
    pending.return().catch(() => {});
    groups.return?.().catch(() => {});
  }
}
