/**
 * Reads the data of server-sent events from a body.
 *
 * @module
 */
import { EventStreamParser, isDocument } from "./event_stream.ts";
import { BodyReader } from "./body_reader.ts";
import { MAX_ANSWER_BYTES, MAX_STREAM_BYTES, tooLarge } from "./read_body.ts";

/**
 * Yields the `data` of the events of each chunk that arrives, in batches as they arrive. Comments
 * (keep-alives) and events without data yield nothing. A body that is a document instead (JSON, HTML),
 * whatever its content type says, yields its whole text once, read in `charset`. Leaving the loop cancels
 * the body.
 *
 * @param onOpen gets what ends the reading at once, also while the server is silent
 *
 * @throws {MalformedResponseError} when one event is larger than {@link MAX_ANSWER_BYTES}, or all of
 *   them are larger than {@link MAX_STREAM_BYTES}
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  charset = "utf-8",
  onOpen?: (close: () => void) => void,
): AsyncGenerator<string[] | string, void, void> {
  let batch: string[] = [];
  let bytes = 0;
  /** What has been read: until the kind of body is clear and, for a document, to its end. */
  let text: string | undefined = "";
  let isText = false;
  const parser = new EventStreamParser((data) => batch.push(data), MAX_ANSWER_BYTES);
  const decoder = new TextDecoder(charset);
  const reader = new BodyReader(body);
  onOpen?.(() => reader.close());
  try {
    while (true) {
      const piece = await reader.read();
      const isLast = piece === undefined;
      let read = isLast ? decoder.decode() : decoder.decode(piece, { stream: true });
      bytes += piece?.length ?? 0;
      if (text !== undefined) {
        text += read;
        isText ||= isDocument(text);
        if (isText && bytes > MAX_ANSWER_BYTES) throw tooLarge("the answer", MAX_ANSWER_BYTES);
        if (isText && isLast) yield text;
        if (isText && isLast) return;
        if (isText || (!isLast && text.trimStart() === "")) continue;
        read = text;
        text = undefined;
      }
      if (isLast) parser.end(read);
      else parser.feed(read);
      if (parser.isTooLarge) throw tooLarge("an event of the answer", MAX_ANSWER_BYTES);
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
