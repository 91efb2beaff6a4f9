/**
 * A streamed completion, as the caller sees it.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { StreamEvent } from "../chat/events.ts";
import { AbortedError, ConfigurationError } from "../errors.ts";
import { EventIterator, type EventSource } from "./event_iterator.ts";

/**
 * A completion that arrives piece by piece. Iterate it for the text, or `events` for everything;
 * `await result` gives the whole. It is sent when the first of these is used, and can be read once.
 * Leaving the loop cancels the request.
 *
 * Errors carry what had arrived in `partial`.
 */
export class CompletionStream implements AsyncIterable<string> {
  readonly #open: () => EventSource;
  readonly #leaving: { abort(reason?: unknown): void };
  readonly #result = Promise.withResolvers<ChatResult>();
  #started = false;

  /** Made by `chatCompletionsStream`. */
  constructor(open: () => EventSource, leaving: { abort(reason?: unknown): void }) {
    this.#open = open;
    this.#leaving = leaving;
    // Whoever only iterates sees the error there; it must not count as unhandled here.
    this.#result.promise.catch(() => {});
  }

  /** All events: text, thinking, tool calls, usage, finish. */
  get events(): AsyncIterable<StreamEvent> {
    return { [Symbol.asyncIterator]: () => this.#iterate((event) => event) };
  }

  /** The pieces of text. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string, void, void> {
    return this.#iterate((event) =>
      event.type === "text" || event.type === "refusal" ? event.text : undefined
    );
  }

  /** The final result; reads the stream to its end if nobody else does. */
  get result(): Promise<ChatResult> {
    if (!this.#started) this.#drain();
    return this.#result.promise;
  }

  /**
   * Aborts the request immediately, even while the model is silent. Readers of the stream get an
   * {@link AbortedError} with `reason` as its cause.
   */
  abort(reason?: unknown): void {
    this.#leaving.abort(reason);
  }

  /** The pieces of text as a web stream of strings; cancelling it cancels the request. */
  toReadableStream(): ReadableStream<string> {
    return ReadableStream.from(this);
  }

  async #drain(): Promise<void> {
    try {
      for await (const _ of this.#iterate(() => undefined));
    } catch {
      // The result carries the error.
    }
  }

  #iterate<T>(pick: (event: StreamEvent) => T | undefined): EventIterator<T> {
    if (this.#started) {
      throw new ConfigurationError("this stream has been read already", {
        hint: "Read it once; `await stream.result` gives the whole answer afterwards.",
      });
    }
    this.#started = true;
    return new EventIterator(this.#open(), pick, {
      onResult: (result) => this.#result.resolve(result),
      onError: (error) => this.#result.reject(error),
      onLeave: () => {
        const error = new AbortedError("the stream was closed before its end");
        this.#leaving.abort(error);
        this.#result.reject(error);
      },
    });
  }
}
