/**
 * Iterates the events of a stream one by one. Written by hand because events arrive in batches, and an async
 * generator would take three microtasks per event.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { StreamEvent } from "../chat/events.ts";

/** The source of a stream: yields events in the batches in which they arrive, returns the final result. */
export type StreamEventSource = AsyncGenerator<StreamEvent[], ChatResult, void>;

/** Callbacks for the three ways that an iteration can end. Exactly one of them is called, once. */
export interface EventIteratorCallbacks {
  /** The stream was read to its end. */
  onResult(result: ChatResult): void;
  /** The stream failed. */
  onError(error: unknown): void;
  /** The consumer left before the end. */
  onLeave(): void;
}

/** Yields the result of `pick` for each event, and skips events for which it returns `undefined`. */
export class EventIterator<T> implements AsyncIterableIterator<T, void, void> {
  readonly #source: StreamEventSource;
  readonly #pick: (event: StreamEvent) => T | undefined;
  readonly #callbacks: EventIteratorCallbacks;
  #batch: readonly StreamEvent[] = [];
  #position = 0;
  #ended = false;
  /** The pending read of the next batch, which concurrent calls of `next` share. */
  #reading: Promise<void> | undefined;

  constructor(
    source: StreamEventSource,
    pick: (event: StreamEvent) => T | undefined,
    callbacks: EventIteratorCallbacks,
  ) {
    this.#source = source;
    this.#pick = pick;
    this.#callbacks = callbacks;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, void>> {
    while (this.#reading === undefined && this.#position < this.#batch.length) {
      const value = this.#pick(this.#batch[this.#position++]);
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
      this.#callbacks.onLeave();
    }
    await this.#source.return(undefined as never);
    return { done: true, value: undefined };
  }

  async #read(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      this.#position = 0;
      this.#batch = done ? [] : value;
      if (!done) return;
      this.#ended = true;
      this.#callbacks.onResult(value);
    } catch (error) {
      this.#batch = [];
      // The consumer left during this read.
      if (this.#ended) return;
      this.#ended = true;
      this.#callbacks.onError(error);
      throw error;
    } finally {
      this.#reading = undefined;
    }
  }
}
