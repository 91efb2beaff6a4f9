/**
 * Parses server-sent events, including those of servers that deviate from the format.
 *
 * Source: WHATWG HTML, "Server-sent events"; parsing is eventsource-parser's. llama.cpp sends errors in a
 * field `error:`; Gemini and others have sent them as bare JSON between events.
 *
 * @module
 */
import { createParser, type ParseError } from "eventsource-parser";
import { asObject, tryParse } from "../json/json.ts";

/** The maximum size of bare JSON, in characters; an error object is smaller. */
const MAX_STRAY = 1024 * 1024;

/** Whether a body that starts with `start` is a document rather than an event stream. */
export function isDocument(start: string): boolean {
  return /^\s*[{[<]/.test(start);
}

/** The value of an `error:` field as an error body, unless it is one already. */
function errorBody(value: string): string {
  const error = tryParse(value) ?? value;
  return asObject(error)?.error === undefined ? JSON.stringify({ error }) : value;
}

/** Parses one event stream. */
export class EventStreamParser {
  /** Whether an event exceeded the maximum size; the parser then accepts no more input. */
  isTooLarge = false;
  readonly #onData: (data: string) => void;
  readonly #parser: ReturnType<typeof createParser>;
  /** Lines of bare JSON between events, so far. */
  #stray = "";

  /**
   * @param onData called with the data of each event
   * @param maxSize the maximum size of one event, in characters
   */
  constructor(onData: (data: string) => void, maxSize?: number) {
    this.#onData = onData;
    this.#parser = createParser({
      onEvent: ({ data }) => onData(data),
      onError: (error) => this.#onError(error),
      maxBufferSize: maxSize,
    });
  }

  /** Parses the next chunk of the stream. */
  feed(text: string): void {
    this.#parser.feed(text);
  }

  /** Ends the stream. Some servers close it without the blank line after the last event. */
  end(text = ""): void {
    this.feed(`${text}\n\n`);
  }

  #onError({ type, field, value = "", line = "" }: ParseError): void {
    if (type === "max-buffer-size-exceeded") {
      this.isTooLarge = true;
    } else if (type === "unknown-field") {
      if (field === "error") this.#onData(errorBody(value));
      else this.#pushStray(line);
    }
  }

  #pushStray(line: string): void {
    if (this.#stray === "" && !/^\s*\{/.test(line)) return;
    this.#stray += `${line}\n`;
    if (this.#stray.length > MAX_STRAY) this.#stray = "";
    else if (/\}\s*$/.test(line) && tryParse(this.#stray) !== undefined) {
      const data = this.#stray;
      this.#stray = "";
      this.#onData(data);
    }
  }
}

/** The data of all events in `text`; `undefined` when it is not an event stream. */
export function parseEventStream(text: string): string[] | undefined {
  if (!/^\s*(:|(data|event|id|retry|error):)/.test(text)) return undefined;
  const events: string[] = [];
  new EventStreamParser((data) => events.push(data)).end(text);
  return events;
}
