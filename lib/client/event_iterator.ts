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
  #reading: Promise<IteratorResult<StreamEvent[], ChatResult>> | undefined;

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
    // Concurrent calls wait for the same read, in their order.
    if (this.#reading !== undefined) return this.#reading.then(() => this.next());
    const picked = this.#pickNext();
    if (picked !== undefined) return Promise.resolve(picked);
    this.#reading = this.#source.next();
    return this.#reading.then(
      (batch) => this.#received(batch),
      (error) => this.#failed(error),
    );
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

  /** The next value of the current batch, or the end; `undefined` if another batch has to be read. */
  #pickNext(): IteratorResult<T, void> | undefined {
    while (this.#position < this.#batch.length) {
      const value = this.#pick(this.#batch[this.#position++]);
      if (value !== undefined) return { done: false, value };
    }
    return this.#ended ? { done: true, value: undefined } : undefined;
  }

  #received(
    { done, value }: IteratorResult<StreamEvent[], ChatResult>,
  ): IteratorResult<T, void> | Promise<IteratorResult<T, void>> {
    this.#reading = undefined;
    this.#position = 0;
    this.#batch = done ? [] : value;
    if (done) {
      this.#ended = true;
      this.#callbacks.onResult(value);
    }
    return this.#pickNext() ?? this.next();
  }

  #failed(error: unknown): IteratorResult<T, void> {
    this.#reading = undefined;
    this.#batch = [];
    // The consumer left during this read.
    if (this.#ended) return { done: true, value: undefined };
    this.#ended = true;
    this.#callbacks.onError(error);
    throw error;
  }
}
