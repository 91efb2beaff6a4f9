/**
 * Runs a function over records, many at once. Knows nothing of HTTP, files or models.
 *
 * Data flows one way: records are pulled when there is room, outcomes are given in the order in
 * which they finish, and nothing is pulled while finished outcomes are not taken.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** What became of one record. */
export type Outcome<T, R> =
  | { record: T; ok: true; value: R }
  | { record: T; ok: false; error: unknown };

/** Lets the work on a record say that it is waiting and needs no slot meanwhile. */
export interface Slot {
  /** Gives the slot to another record, e.g. while a retry is waited for. */
  park(): void;
  /** Comes back; the work goes on at once, and one record fewer is begun later. */
  unpark(): void;
}

/** How many records have a slot, and how many have left theirs. */
class Slots {
  atWork = 0;
  waiting = 0;

  constructor(readonly onRoom: () => void) {}
}

class OneSlot implements Slot {
  readonly #slots: Slots;
  #away = false;

  constructor(slots: Slots) {
    this.#slots = slots;
    slots.atWork++;
  }

  park(): void {
    if (this.#away) return;
    this.#away = true;
    this.#slots.atWork--;
    this.#slots.waiting++;
    this.#slots.onRoom();
  }

  unpark(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#slots.atWork++;
    this.#slots.waiting--;
  }

  give(): void {
    this.unpark();
    this.#slots.atWork--;
  }
}

/** How many records are worked on. */
export interface SlotPoolOptions<T> {
  /** The most records at work, those that left their slot not counted. */
  concurrency: number;
  /** The most records that may have left their slot; beyond it nothing new begins. */
  maxWaiting: number;
  /** Whether to work on a record at all; default all. */
  admit?: (record: T) => boolean;
}

/** How many turns of the event loop an outcome waits for others, at most. */
const TURNS = 4;
/** The part of the slots whose outcomes are enough to go on with. */
const TOGETHER = 8;

/** Works on the records of one iterable. */
export class SlotPool<T, R> {
  readonly #records: Iterator<T> | AsyncIterator<T>;
  readonly #work: (record: T, slot: Slot) => Promise<R>;
  readonly #options: SlotPoolOptions<T>;
  #finished: Outcome<T, R>[] = [];
  /** Outcomes that are with the consumer. */
  #given = 0;
  readonly #slots = new Slots(() => this.#pull());
  #pulling = false;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(
    records: Iterable<T> | AsyncIterable<T>,
    work: (record: T, slot: Slot) => Promise<R>,
    options: SlotPoolOptions<T>,
  ) {
    this.#records = Symbol.asyncIterator in records
      ? records[Symbol.asyncIterator]()
      : records[Symbol.iterator]();
    this.#work = work;
    this.#options = options;
  }

  /** Begins no further record; what is at work may finish. */
  stop(): void {
    this.#ended = true;
    this.#wake();
  }

  /**
   * Yields what became of the records, all at once that finished within a few turns of the event loop,
   * so that they can be written together. They keep their slots until the next ones are asked for. An
   * error of the iterable of records is thrown when all that was begun before it is finished.
   */
  async *outcomes(): AsyncGenerator<Outcome<T, R>[], void, void> {
    try {
      this.#pull();
      while (true) {
        if (this.#finished.length > 0) {
          await this.#gather();
          const batch = this.#finished;
          this.#finished = [];
          this.#given = batch.length;
          yield batch;
          this.#given = 0;
          this.#pull();
        } else if (this.#ended && this.#slots.atWork + this.#slots.waiting === 0) {
          break;
        } else {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      }
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      this.#ended = true;
      // Not awaited: a source that is waiting for its next record may never answer.
      Promise.resolve(this.#records.return?.()).catch(() => {});
    }
  }

  /** Lets a few turns of the event loop pass, so that there is more to write together. */
  async #gather(): Promise<void> {
    const enough = this.#options.concurrency / TOGETHER;
    for (let turn = 0; turn < TURNS && this.#finished.length < enough; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  get #hasRoom(): boolean {
    const { atWork, waiting } = this.#slots;
    return !this.#ended &&
      // Also those whose outcomes are not taken yet: were the process killed, they would be done again.
      atWork + this.#given + this.#finished.length < this.#options.concurrency &&
      waiting < this.#options.maxWaiting;
  }

  async #pull(): Promise<void> {
    if (this.#pulling) return;
    this.#pulling = true;
    const { admit } = this.#options;
    try {
      while (this.#hasRoom) {
        const next = this.#records.next();
        const step = next instanceof Promise ? await next : next as IteratorResult<T>;
        if (this.#ended) break;
        if (step.done) this.#ended = true;
        else if (admit === undefined || admit(step.value)) this.#begin(step.value);
      }
    } catch (error) {
      this.#failure = { error };
      this.#ended = true;
    } finally {
      this.#pulling = false;
    }
    this.#wake();
  }

  async #begin(record: T): Promise<void> {
    const slot = new OneSlot(this.#slots);
    let outcome: Outcome<T, R>;
    try {
      outcome = { record, ok: true, value: await this.#work(record, slot) };
    } catch (error) {
      outcome = { record, ok: false, error };
    }
    slot.give();
    this.#finished.push(outcome);
    if (this.#hasRoom) this.#pull();
    this.#wake();
  }
}
