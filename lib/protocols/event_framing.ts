/**
 * Writes the events of a stream as server-sent events or as one JSON array.
 *
 * Sources: HTML standard, "Server-sent events"; Gemini API, `streamGenerateContent` without `alt=sse`.
 *
 * @module
 */

/** How events become the body of a response. */
export interface EventFraming {
  readonly contentType: string;
  /** The text of one event. */
  frame(event: { event?: string; data: string }, isFirst: boolean): string;
  /** The text after the last event. */
  readonly end: string;
}

/** Server-sent events. */
export const SERVER_SENT_EVENTS: EventFraming = {
  contentType: "text/event-stream",
  frame({ event, data }) {
    return event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`;
  },
  end: "",
};

/** A JSON array with one element per event. */
export const JSON_ARRAY: EventFraming = {
  contentType: "application/json",
  frame: ({ data }, isFirst) => isFirst ? `[${data}` : `\n,\r\n${data}`,
  end: "\n]",
};
