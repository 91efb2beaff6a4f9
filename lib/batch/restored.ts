/**
 * Skips the records of a batch that its journal already has, or returns their results between new ones.
 *
 * @module
 */
import type { BatchItem } from "./items.ts";
import type { Executor, IndexedRecord, Outcome } from "./executor.ts";

type Records = Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>;

/** Whether the journal already has the result of a record. */
type IsDone = (record: IndexedRecord) => boolean;

/** The records that are not done. Synchronous for a synchronous input, which is faster. */
export function skipDone(records: Records, isDone: IsDone): Records {
  return Symbol.asyncIterator in records
    ? skipDoneAsync(records, isDone)
    : skipDoneSync(records, isDone);
}

function* skipDoneSync(records: Iterable<IndexedRecord>, isDone: IsDone) {
  for (const record of records) if (!isDone(record)) yield record;
}

async function* skipDoneAsync(records: AsyncIterable<IndexedRecord>, isDone: IsDone) {
  for await (const record of records) if (!isDone(record)) yield record;
}

/** Restored items in memory before reading the input pauses. */
const MAX_BUFFERED = 100;

/** Splits an input into records to send and items to restore. */
class RestoredItems {
  readonly #restore: (record: IndexedRecord) => BatchItem | undefined;
  #items: BatchItem[] = [];
  #isClosed = false;
  #onItems: () => void = () => {};
  #onTaken: () => void = () => {};

  constructor(restore: (record: IndexedRecord) => BatchItem | undefined) {
    this.#restore = restore;
  }

  /** The records that are not done; pauses while too many restored items are buffered. */
  async *pending(records: Records): AsyncGenerator<IndexedRecord, void, void> {
    for await (const record of records) {
      const item = this.#restore(record);
      if (item === undefined) yield record;
      else {
        this.#items.push(item);
        this.#onItems();
        while (this.#items.length >= MAX_BUFFERED && !this.#isClosed) {
          await new Promise<void>((resolve) => this.#onTaken = resolve);
        }
      }
      if (this.#isClosed) return;
    }
  }

  /** Resolves once there are items. */
  async ready(): Promise<void> {
    if (this.#items.length > 0) return;
    await new Promise<void>((resolve) => this.#onItems = resolve);
  }

  take(): BatchItem[] {
    const items = this.#items;
    this.#items = [];
    this.#onTaken();
    return items;
  }

  /** Ends a paused {@link pending}. */
  close(): void {
    this.#isClosed = true;
    this.#onTaken();
  }
}

/**
 * Yields groups of outcomes and, in between, of restored items. `restore` returns the item of a record
 * that is done; the executor only gets the others.
 */
export async function* withRestored(
  executor: Executor,
  records: Records,
  restore: (record: IndexedRecord) => BatchItem | undefined,
): AsyncGenerator<
  { outcomes: readonly Outcome[] } | { restored: BatchItem[] },
  void,
  void
> {
  const restored = new RestoredItems(restore);
  const groups = executor.run(restored.pending(records))[Symbol.asyncIterator]();
  try {
    let next = groups.next();
    while (true) {
      const step = await Promise.race([restored.ready(), next]);
      const items = restored.take();
      if (items.length > 0) yield { restored: items };
      if (step === undefined) continue;
      if (step.done) return;
      yield { outcomes: step.value };
      next = groups.next();
    }
  } finally {
    restored.close();
    // Not awaited: requests may still be in flight, which the run aborts next.
    groups.return?.().catch(() => {});
  }
}
