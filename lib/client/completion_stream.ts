/**
 * A streamed completion, as the caller reads it.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { StreamEvent } from "../chat/events.ts";
import { AbortedError, ConfigurationError } from "../errors.ts";
import { EventIterator, type StreamEventSource } from "./event_iterator.ts";

/**
 * A completion that arrives in pieces. Iterate it for the text, iterate {@link CompletionStream.events}
 * for everything, or await {@link CompletionStream.finalResult} for the whole answer. The first of these
 * sends the request. A stream can be iterated once; leaving the loop aborts the request.
 *
 * An error has the part that arrived before it in `partial`.
 *
 * @example Print the text, then the token counts
 * ```ts
 * import { LLMClient } from "@flexllm/flexllm";
 *
 * await using client = new LLMClient({ provider: "mock", model: "mock" });
 * const stream = client.chatCompletionsStream([{ role: "user", content: "Tell a story." }]);
 * for await (const text of stream) console.log(text);
 * const { usage } = await stream.finalResult();
 * console.log(usage);
 * ```
 */
export class CompletionStream<ParsedValue = unknown> implements AsyncIterable<string> {
  readonly #open: (onUnreadError: (error: unknown) => void) => StreamEventSource;
  readonly #controller: { abort(reason?: unknown): void };
  readonly #result = Promise.withResolvers<ChatResult>();
  #started = false;

  /** Created by {@link LLMClient.chatCompletionsStream}; `open` sends the request. */
  constructor(
    open: (onUnreadError: (error: unknown) => void) => StreamEventSource,
    controller: { abort(reason?: unknown): void },
  ) {
    this.#open = open;
    this.#controller = controller;
    // A caller that only iterates gets the error there, so it must not be reported as unhandled here.
    this.#result.promise.catch(() => {});
  }

  /** All events: text, thinking, tool calls, refusals, citations, usage, finish. */
  get events(): AsyncIterable<StreamEvent> {
    return { [Symbol.asyncIterator]: () => this.#iterate((event) => event) };
  }

  /** Iterates the pieces of text. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string, void, void> {
    return this.#iterate((event) =>
      event.type === "text" || event.type === "refusal" ? event.text : undefined
    );
  }

  /**
   * Resolves with the complete answer once the stream has ended. If nothing has iterated the stream yet,
   * this sends the request and reads the stream itself.
   *
   * @throws {FlexLLMError} if the stream fails or is aborted, or its loop is left early
   */
  finalResult(): Promise<ChatResult<ParsedValue>> {
    if (!this.#started) this.#drain();
    return this.#result.promise as Promise<ChatResult<ParsedValue>>;
  }

  /**
   * Aborts the request immediately, even while the model is silent. Readers of the stream get an
   * {@link AbortedError} with `reason` as its cause.
   */
  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  /** The pieces of text as a web stream of strings. Cancelling it aborts the request. */
  toReadableStream(): ReadableStream<string> {
    return ReadableStream.from(this);
  }

  async #drain(): Promise<void> {
    try {
      for await (const _ of this.#iterate(() => undefined));
    } catch {
      // `#result` is rejected with the error.
    }
  }

  #iterate<T>(pick: (event: StreamEvent) => T | undefined): EventIterator<T> {
    if (this.#started) {
      throw new ConfigurationError("this stream has already been read", {
        hint: "Iterate it once; `await stream.finalResult()` returns the whole answer afterwards.",
      });
    }
    this.#started = true;
    // The result also fails while the reader does something else.
    const events = this.#open((error) => this.#result.reject(error));
    return new EventIterator(events, pick, {
      onResult: (result) => this.#result.resolve(result),
      onError: (error) => this.#result.reject(error),
      onLeave: () => {
        const error = new AbortedError("the stream was closed before its end");
        this.#controller.abort(error);
        this.#result.reject(error);
      },
    });
  }
}
