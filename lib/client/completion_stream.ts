/**
 * A streamed completion, as the caller sees it.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { StreamEvent } from "../chat/stream_events.ts";
import { AbortedError, ConfigurationError } from "../errors.ts";

/** The source of a stream: yields its events and returns the final result. */
export type EventSource = AsyncGenerator<StreamEvent, ChatResult, void>;

/**
 * A completion that arrives piece by piece. Iterate it for the text, or `events` for everything;
 * `await result` gives the whole. It is sent when the first of these is used, and can be read once.
 * Leaving the loop cancels the request.
 *
 * Errors carry what had arrived in `partial`.
 */
export class CompletionStream implements AsyncIterable<string> {
  readonly #open: () => EventSource;
  readonly #result = Promise.withResolvers<ChatResult>();
  #started = false;

  /** Made by `chatCompletionsStream`. */
  constructor(open: () => EventSource) {
    this.#open = open;
    // Whoever only iterates sees the error there; it must not count as unhandled here.
    this.#result.promise.catch(() => {});
  }

  /** All events: text, thinking, tool calls, usage, finish. */
  get events(): AsyncIterable<StreamEvent> {
    return { [Symbol.asyncIterator]: () => this.#run() };
  }

  /** The pieces of text. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    for await (const event of this.#run()) {
      if (event.type === "text") yield event.text;
    }
  }

  /** The final result; reads the stream to its end if nobody else does. */
  get result(): Promise<ChatResult> {
    if (!this.#started) this.#drain();
    return this.#result.promise;
  }

  /** The pieces of text as a web stream of strings; cancelling it cancels the request. */
  toReadableStream(): ReadableStream<string> {
    return ReadableStream.from(this);
  }

  async #drain(): Promise<void> {
    try {
      for await (const _ of this.#run());
    } catch {
      // The result carries the error.
    }
  }

  async *#run(): AsyncGenerator<StreamEvent, void, void> {
    if (this.#started) {
      throw new ConfigurationError("this stream has been read already", {
        hint: "Read it once; `await stream.result` gives the whole answer afterwards.",
      });
    }
    this.#started = true;
    const source = this.#open();
    try {
      while (true) {
        const { done, value } = await source.next();
        if (done) return this.#result.resolve(value);
        yield value;
      }
    } catch (error) {
      this.#result.reject(error);
      throw error;
    } finally {
      // No effect after an end or an error; after a break it cancels the request.
      this.#result.reject(new AbortedError("the stream was left before its end"));
      await source.return(undefined as never);
    }
  }
}
