/**
 * Iterates the events of a stream one by one. They arrive many at a time, and an async generator would
 * take three turns of the queue for each of them.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { StreamEvent } from "../chat/events.ts";

/** The source of a stream: yields its events as they arrive together, and returns the final result. */
export type EventSource = AsyncGenerator<StreamEvent[], ChatResult, void>;

/** What is to be known of the end of an iteration. */
export interface EventsEnd {
  /** The stream was read to its end. */
  onResult(result: ChatResult): void;
  /** It was ended by an error. */
  onError(error: unknown): void;
  /** It was left before. */
  onLeave(): void;
}

/** Gives what `pick` makes of each event, leaving out what it makes nothing of. */
export class EventIterator<T> implements AsyncIterableIterator<T, void, void> {
  readonly #source: EventSource;
  readonly #pick: (event: StreamEvent) => T | undefined;
  readonly #end: EventsEnd;
  #batch: readonly StreamEvent[] = [];
  #at = 0;
  #ended = false;
  /** The reading of the next batch; who asks meanwhile waits for it. */
  #reading: Promise<void> | undefined;

  constructor(source: EventSource, pick: (event: StreamEvent) => T | undefined, end: EventsEnd) {
    this.#source = source;
    this.#pick = pick;
    this.#end = end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, void>> {
    while (this.#reading === undefined && this.#at < this.#batch.length) {
      const value = this.#pick(this.#batch[this.#at++]);
      if (value !== undefined) return Promise.resolve({ done: false, value });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    this.#reading ??= this.#read();
    return this.#reading.then(() => this.next());
  }

  async return(): Promise<IteratorResult<T, void>> {
    if (!this.#ended) {
      this.#ended = true;
      this.#batch = [];
      this.#end.onLeave();
    }
    await this.#source.return(undefined as never);
    return { done: true, value: undefined };
  }

  async #read(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      this.#at = 0;
      this.#batch = done ? [] : value;
      if (!done) return;
      this.#ended = true;
      this.#end.onResult(value);
    } catch (error) {
      this.#batch = [];
      // It was left while this was waiting for the next event.
      if (this.#ended) return;
      this.#ended = true;
      this.#end.onError(error);
      throw error;
    } finally {
      this.#reading = undefined;
    }
  }
}
