/**
 * Passes the events of a streamed call from the attempt that receives them to the caller that reads them.
 *
 * @module
 */
import type { StreamEvent } from "../chat/events.ts";
import type { ChatResult } from "../chat/result.ts";
import { abortedBy, AbortedError } from "../errors.ts";
import { type Cancellable, cancelledBy } from "../transport/cancellation.ts";
import type { EventSink, EventWriter } from "./event_sink.ts";

type Batch = IteratorResult<StreamEvent[], ChatResult>;

/**
 * A stream of event batches with one writer and one reader. The writer runs ahead of the reader by no more
 * than one batch. {@link EventChannel.next} must not be called again before it has settled.
 */
export class EventChannel
  implements AsyncGenerator<StreamEvent[], ChatResult, void>, Cancellable, EventSink {
  readonly #start: () => Promise<ChatResult>;
  readonly #signal: AbortSignal | undefined;
  /** Called with an error that occurs while nobody reads; the next read fails with it as well. */
  onUnreadError: ((error: unknown) => void) | undefined = undefined;
  #running: Promise<void> | undefined;
  #reader: PromiseWithResolvers<Batch> | undefined;
  /** The writer, while it waits for the reader. */
  #writer: EventWriter | undefined;
  /** Whether a read waits for events. */
  #isReading = false;
  #isClosed = false;
  /** The error that the next read fails with. */
  #failure: { error: unknown } | undefined;

  /**
   * @param start called with the first read: writes the events and resolves with the result
   * @param signal stops the writer even while the reader is busy elsewhere
   */
  constructor(start: () => Promise<ChatResult>, signal?: AbortSignal) {
    this.#start = start;
    this.#signal = signal;
  }

  /**
   * Passes events to the reader.
   *
   * @throws {AbortedError} if the reader has left, or the signal has fired
   */
  push(events: StreamEvent[], writer: EventWriter): void {
    if (this.#isClosed) throw new AbortedError();
    if (this.#signal?.aborted) throw abortedBy(this.#signal);
    this.#writer = writer;
    this.#isReading = false;
    this.#reader?.resolve({ done: false, value: events });
  }

  /** Reads the next events, or the result at the end. */
  next(): Promise<Batch> {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure.error);
    if (this.#isClosed) return Promise.resolve({ done: true, value: undefined as never });
    const { promise } = this.#reader = Promise.withResolvers();
    this.#isReading = true;
    if (this.#running === undefined) this.#running = this.#run();
    else this.#takeWriter()?.onDemand();
    return promise;
  }

  /** Leaves the stream; resolves when the writer has stopped. */
  async return(): Promise<Batch> {
    this.#isClosed = true;
    this.#takeWriter()?.onStop(new AbortedError());
    await this.#running;
    return { done: true, value: undefined as never };
  }

  /** Leaves the stream with an error. */
  async throw(error: unknown): Promise<Batch> {
    await this.return();
    throw error;
  }

  /** Stops a writer that waits for the reader. */
  cancel(): void {
    this.#takeWriter()?.onStop(abortedBy(this.#signal));
  }

  #takeWriter(): EventWriter | undefined {
    const writer = this.#writer;
    this.#writer = undefined;
    return writer;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #run(): Promise<void> {
    const cancellation = this.#signal && cancelledBy(this.#signal, this);
    try {
      const value = await this.#start();
      this.#reader!.resolve({ done: true, value });
    } catch (error) {
      this.#failed(error);
    } finally {
      cancellation?.remove();
      this.#isClosed = true;
    }
  }

  #failed(error: unknown): void {
    if (this.#isReading) return this.#reader!.reject(error);
    if (this.#isClosed) return;
    this.#failure = { error };
    this.onUnreadError?.(error);
  }
}
