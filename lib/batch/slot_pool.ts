/**
 * Processes records concurrently with backpressure. Knows nothing of HTTP, files or models.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** The slot that a record occupies while it is processed. */
export interface Slot {
  /** Frees the slot for another record, e.g. during a backoff. */
  park(): void;
  /** Takes a slot again without waiting, even if none is free. */
  unpark(): void;
}

/** Counts the records that occupy a slot and those that are parked. */
class SlotCounts {
  active = 0;
  parked = 0;

  constructor(readonly onFree: () => void) {}
}

class PoolSlot implements Slot {
  readonly #counts: SlotCounts;
  #isParked = false;

  constructor(counts: SlotCounts) {
    this.#counts = counts;
    counts.active++;
  }

  park(): void {
    if (this.#isParked) return;
    this.#isParked = true;
    this.#counts.active--;
    this.#counts.parked++;
    this.#counts.onFree();
  }

  unpark(): void {
    if (!this.#isParked) return;
    this.#isParked = false;
    this.#counts.active++;
    this.#counts.parked--;
  }

  release(): void {
    this.unpark();
    this.#counts.active--;
  }
}

/** The limits of a pool. */
export interface SlotPoolOptions {
  /** Maximum number of active records; parked ones do not count. */
  concurrency: number;
  /** Maximum number of parked records; at that number no further record starts. */
  maxParked: number;
}

/** Maximum turns of the event loop that a finished record waits for others. */
const MAX_TURNS = 4;
/** A group is yielded without further waiting once 1/8 of the slots have finished. */
const GROUP_SHARE = 8;

/** A group of this size is yielded even if more answers have arrived, so that their slots are used again sooner. */
const LARGE_GROUP = 128;

/** Processes the records of one iterable. `T` is a record, `O` its outcome. */
export class SlotPool<T, O> {
  readonly #records: Iterator<T> | AsyncIterator<T>;
  readonly #process: (record: T, slot: Slot) => Promise<O>;
  readonly #options: SlotPoolOptions;
  #finished: O[] = [];
  /** Outcomes that the consumer has received but not yet handled. */
  #delivered = 0;
  readonly #slots = new SlotCounts(() => this.#pull());
  #isPulling = false;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #wake: () => void = () => {};
  /** Ends the wait for more outcomes. */
  #onEnough: () => void = () => {};

  /** `process` should return failures as outcomes; if it rejects, the pool ends with that error. */
  constructor(
    records: Iterable<T> | AsyncIterable<T>,
    process: (record: T, slot: Slot) => Promise<O>,
    options: SlotPoolOptions,
  ) {
    this.#records = Symbol.asyncIterator in records
      ? records[Symbol.asyncIterator]()
      : records[Symbol.iterator]();
    this.#process = process;
    this.#options = options;
  }

  /** Starts no further records; active ones can finish. */
  stop(): void {
    this.#ended = true;
    this.#wake();
  }

  /**
   * Yields outcomes in the order in which records finish. Records that finish within a few turns of the
   * event loop form a group, so that they can be written together. A group occupies its slots until the
   * next one is requested.
   *
   * @throws what the iterable of records throws, after everything that was already started has finished
   */
  async *outcomes(): AsyncGenerator<O[], void, void> {
    try {
      this.#pull();
      while (true) {
        if (this.#finished.length > 0) {
          await this.#gather();
          const group = this.#finished;
          this.#finished = [];
          this.#delivered = group.length;
          yield group;
          this.#delivered = 0;
          this.#pull();
        } else if (this.#ended && this.#slots.active + this.#slots.parked === 0) {
          break;
        } else {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      }
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      this.#ended = true;
      // Not awaited: a source that is waiting for its next record may never settle.
      Promise.resolve(this.#records.return?.()).catch(() => {});
    }
  }

  /** Waits a few turns of the event loop for more records to finish. */
  async #gather(): Promise<void> {
    const enough = this.#options.concurrency / GROUP_SHARE;
    for (let turn = 0; turn < MAX_TURNS && this.#finished.length < enough; turn++) {
      await new Promise<void>((resolve) => {
        this.#onEnough = resolve;
        setImmediate(resolve);
      });
    }
  }

  get #hasFreeSlot(): boolean {
    const { active, parked } = this.#slots;
    return !this.#ended &&
      // Unwritten outcomes also count: a kill would repeat their requests.
      active + this.#delivered + this.#finished.length < this.#options.concurrency &&
      parked < this.#options.maxParked;
  }

  async #pull(): Promise<void> {
    if (this.#isPulling) return;
    this.#isPulling = true;
    try {
      while (this.#hasFreeSlot) {
        const next = this.#records.next();
        const step = next instanceof Promise ? await next : next as IteratorResult<T>;
        if (this.#ended) break;
        if (step.done) this.#ended = true;
        else this.#start(step.value);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isPulling = false;
    }
    this.#wake();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#ended = true;
  }

  async #start(record: T): Promise<void> {
    const slot = new PoolSlot(this.#slots);
    try {
      // Awaited first: `#finished` may be replaced meanwhile.
      const outcome = await this.#process(record, slot);
      this.#finished.push(outcome);
      if (this.#finished.length >= LARGE_GROUP) this.#onEnough();
    } catch (error) {
      this.#fail(error);
    }
    slot.release();
    if (this.#hasFreeSlot) this.#pull();
    this.#wake();
  }
}
