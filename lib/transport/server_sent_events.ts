/**
 * Reads the data of server-sent events from a body.
 *
 * Source: WHATWG HTML, "Server-sent events"; parsing is eventsource-parser's.
 *
 * @module
 */
import { createParser } from "eventsource-parser";

/**
 * Yields the `data` of the events of each chunk that arrives, in batches as they arrive. Comments
 * (keep-alives) and events without data yield nothing. Leaving the loop cancels the body.
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string[], void, void> {
  let batch: string[] = [];
  const parser = createParser({ onEvent: (event) => batch.push(event.data) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    while (true) {
      const { done, value } = await reader.read();
      // A last event without its blank line is still an event: some servers just close.
      parser.feed(done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true }));
      if (batch.length > 0) {
        const ready = batch;
        batch = [];
        yield ready;
      }
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
