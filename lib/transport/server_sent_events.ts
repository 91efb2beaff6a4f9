/**
 * Reads the data of server-sent events from a body.
 *
 * Source: WHATWG HTML, "Server-sent events"; parsing is eventsource-parser's.
 *
 * @module
 */
import { createParser } from "eventsource-parser";
import { BodyReader } from "./body_reader.ts";
import { MAX_ANSWER_BYTES, MAX_STREAM_BYTES, tooLarge } from "./read_body.ts";

/**
 * Yields the `data` of the events of each chunk that arrives, in batches as they arrive. Comments
 * (keep-alives) and events without data yield nothing. Leaving the loop cancels the body.
 *
 * @throws {MalformedResponseError} when one event is larger than {@link MAX_ANSWER_BYTES}, or all of
 *   them are larger than {@link MAX_STREAM_BYTES}
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string[], void, void> {
  let batch: string[] = [];
  let isTooLarge = false;
  let bytes = 0;
  const parser = createParser({
    onEvent: (event) => batch.push(event.data),
    maxBufferSize: MAX_ANSWER_BYTES,
    onError: ({ type }) => isTooLarge ||= type === "max-buffer-size-exceeded",
  });
  const decoder = new TextDecoder();
  const reader = new BodyReader(body);
  try {
    while (true) {
      const piece = await reader.read();
      const isLast = piece === undefined;
      // A last event without its blank line is still an event: some servers just close.
      parser.feed(isLast ? `${decoder.decode()}\n\n` : decoder.decode(piece, { stream: true }));
      if (isTooLarge) throw tooLarge("an event of the answer", MAX_ANSWER_BYTES);
      bytes += piece?.length ?? 0;
      if (bytes > MAX_STREAM_BYTES) throw tooLarge("the answer", MAX_STREAM_BYTES);
      if (batch.length > 0) {
        const ready = batch;
        batch = [];
        yield ready;
      }
      if (isLast) return;
    }
  } finally {
    reader.close();
  }
}
