/**
 * Passes the events of a streamed call from the attempt that receives them to the caller that reads them.
 *
 * @module
 */
import type { StreamEvent } from "../chat/events.ts";
import type { ChatResult } from "../chat/result.ts";
import { AbortedError } from "../errors.ts";

type Batch = IteratorResult<StreamEvent[], ChatResult>;

/**
 * A stream of event batches with one writer and one reader. The writer runs ahead of the reader by no more
 * than one batch. {@link EventChannel.next} must not be called again before it has settled.
 */
export class EventChannel implements AsyncGenerator<StreamEvent[], ChatResult, void> {
  readonly #start: () => Promise<ChatResult>;
  #running: Promise<void> | undefined;
  #reader: PromiseWithResolvers<Batch> | undefined;
  #writer: PromiseWithResolvers<void> | undefined;
  #isClosed = false;

  /** @param start called with the first read: writes the events and resolves with the result */
  constructor(start: () => Promise<ChatResult>) {
    this.#start = start;
  }

  /**
   * Passes events to the reader; resolves when it asks for more.
   *
   * @throws {AbortedError} if the reader leaves
   */
  write(events: StreamEvent[]): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AbortedError());
    this.#writer = Promise.withResolvers();
    this.#reader?.resolve({ done: false, value: events });
    return this.#writer.promise;
  }

  /** Reads the next events, or the result at the end. */
  next(): Promise<Batch> {
    if (this.#isClosed) return Promise.resolve({ done: true, value: undefined as never });
    this.#reader = Promise.withResolvers();
    if (this.#running === undefined) this.#running = this.#run();
    else this.#writer?.resolve();
    return this.#reader.promise;
  }

  /** Leaves the stream; resolves when the writer has stopped. */
  async return(): Promise<Batch> {
    this.#isClosed = true;
    this.#writer?.reject(new AbortedError());
    await this.#running;
    return { done: true, value: undefined as never };
  }

  /** Leaves the stream with an error. */
  async throw(error: unknown): Promise<Batch> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #run(): Promise<void> {
    try {
      const value = await this.#start();
      this.#reader!.resolve({ done: true, value });
    } catch (error) {
      this.#reader!.reject(error);
    } finally {
      this.#isClosed = true;
    }
  }
}
