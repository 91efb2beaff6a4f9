/**
 * Decodes the chunks of a response body to server-sent events.
 *
 * @module
 */
import { EventStreamParser, isDocument } from "./event_stream.ts";
import { MAX_ANSWER_BYTES, MAX_STREAM_BYTES, tooLarge } from "./read_body.ts";

const NO_EVENTS: string[] = [];

/**
 * Decodes one body. Comments (keep-alives) and events without data are left out. A body that is a document
 * instead (JSON, HTML), whatever its content type says, has no events but is {@link EventReader.document}.
 */
export class EventReader {
  /** The body, if it turned out to be a document. Complete after {@link EventReader.end}. */
  document: string | undefined;
  #events: string[] = [];
  #bytes = 0;
  /** The text so far, until the kind of body is clear. */
  #start: string | undefined = "";
  readonly #decoder: TextDecoder;
  readonly #parser = new EventStreamParser((data) => this.#events.push(data), MAX_ANSWER_BYTES);

  constructor(charset = "utf-8") {
    this.#decoder = new TextDecoder(charset);
  }

  /**
   * Returns the data of the events that `chunk` completes.
   *
   * @throws {MalformedResponseError} when one event is larger than {@link MAX_ANSWER_BYTES}, or all
   *   events together are larger than {@link MAX_STREAM_BYTES}
   */
  push(chunk: Uint8Array): string[] {
    this.#bytes += chunk.length;
    const text = this.#classify(this.#decoder.decode(chunk, { stream: true }), false);
    if (text !== "") this.#parser.feed(text);
    return this.#take();
  }

  /**
   * Ends the body. Returns the data of an event that lacks the blank line after it.
   *
   * @throws {MalformedResponseError} as {@link EventReader.push}
   */
  end(): string[] {
    const text = this.#classify(this.#decoder.decode(), true);
    if (this.document === undefined) this.#parser.end(text);
    return this.#take();
  }

  /** Adds to the document, or returns the text to parse as events. */
  #classify(text: string, isLast: boolean): string {
    if (this.document !== undefined) {
      this.document += text;
    } else {
      if (this.#start === undefined) return text;
      const start = this.#start + text;
      if (!isDocument(start)) {
        this.#start = isLast || start.trimStart() !== "" ? undefined : start;
        return this.#start === undefined ? start : "";
      }
      this.document = start;
      this.#start = undefined;
    }
    if (this.#bytes > MAX_ANSWER_BYTES) throw tooLarge("the answer", MAX_ANSWER_BYTES);
    return "";
  }

  #take(): string[] {
    if (this.#parser.isTooLarge) throw tooLarge("an event of the answer", MAX_ANSWER_BYTES);
    if (this.#bytes > MAX_STREAM_BYTES) throw tooLarge("the answer", MAX_STREAM_BYTES);
    if (this.#events.length === 0) return NO_EVENTS;
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
