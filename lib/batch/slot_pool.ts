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

/** Lets the work on a record say that it is waiting and needs no place meanwhile. */
export interface Place {
  /** Gives the place to another record, e.g. while a retry is waited for. */
  leave(): void;
  /** Comes back; the work goes on at once, and one record fewer is begun later. */
  return(): void;
}

/** How many records have a place, and how many have left theirs. */
class Places {
  atWork = 0;
  waiting = 0;

  constructor(readonly onRoom: () => void) {}
}

class OnePlace implements Place {
  readonly #places: Places;
  #away = false;

  constructor(places: Places) {
    this.#places = places;
    places.atWork++;
  }

  leave(): void {
    if (this.#away) return;
    this.#away = true;
    this.#places.atWork--;
    this.#places.waiting++;
    this.#places.onRoom();
  }

  return(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#places.atWork++;
    this.#places.waiting--;
  }

  give(): void {
    this.return();
    this.#places.atWork--;
  }
}

/** How many records are worked on. */
export interface EngineOptions<T> {
  /** The most records at work, those that left their place not counted. */
  concurrency: number;
  /** The most records that may have left their place; beyond it nothing new begins. */
  maxWaiting: number;
  /** Whether to work on a record at all; default all. */
  admit?: (record: T) => boolean;
}

/** How many turns of the event loop an outcome waits for others, at most. */
const TURNS = 4;
/** The part of the places whose outcomes are enough to go on with. */
const TOGETHER = 8;

/** Works on the records of one iterable. */
export class Engine<T, R> {
  readonly #records: Iterator<T> | AsyncIterator<T>;
  readonly #work: (record: T, place: Place) => Promise<R>;
  readonly #options: EngineOptions<T>;
  #finished: Outcome<T, R>[] = [];
  /** Outcomes that are with the consumer. */
  #given = 0;
  readonly #places = new Places(() => this.#pull());
  #pulling = false;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(
    records: Iterable<T> | AsyncIterable<T>,
    work: (record: T, place: Place) => Promise<R>,
    options: EngineOptions<T>,
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
   * so that they can be written together. They keep their places until the next ones are asked for. An
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
        } else if (this.#ended && this.#places.atWork + this.#places.waiting === 0) {
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
    const { atWork, waiting } = this.#places;
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
    const place = new OnePlace(this.#places);
    let outcome: Outcome<T, R>;
    try {
      outcome = { record, ok: true, value: await this.#work(record, place) };
    } catch (error) {
      outcome = { record, ok: false, error };
    }
    place.give();
    this.#finished.push(outcome);
    if (this.#hasRoom) this.#pull();
    this.#wake();
  }
}
