/**
 * Reads server-sent events from a response body.
 *
 * @module
 */
import { EventStreamParser, isDocument } from "./event_stream.ts";
import { BodyReader } from "./body_reader.ts";
import { MAX_ANSWER_BYTES, MAX_STREAM_BYTES, tooLarge } from "./read_body.ts";

/**
 * Yields the `data` of events in batches, one for each chunk that completes any. Comments
 * (keep-alives) and events without data yield nothing. A body that is a document instead (JSON, HTML),
 * whatever its content type says, yields its whole text once, decoded from `charset`. Leaving the loop
 * cancels the body.
 *
 * @param onOpen receives a function that stops reading immediately, even while the server is silent
 *
 * @throws {MalformedResponseError} when one event is larger than {@link MAX_ANSWER_BYTES}, or all
 *   events together are larger than {@link MAX_STREAM_BYTES}
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  charset = "utf-8",
  onOpen?: (close: () => void) => void,
): AsyncGenerator<string[] | string, void, void> {
  let batch: string[] = [];
  let bytes = 0;
  /** The text so far, until the kind of body is clear; for a document, until its end. */
  let text: string | undefined = "";
  let isDocumentBody = false;
  const parser = new EventStreamParser((data) => batch.push(data), MAX_ANSWER_BYTES);
  const decoder = new TextDecoder(charset);
  const reader = new BodyReader(body);
  onOpen?.(() => reader.close());
  try {
    while (true) {
      const chunk = await reader.read();
      const isLast = chunk === undefined;
      let decoded = isLast ? decoder.decode() : decoder.decode(chunk, { stream: true });
      bytes += chunk?.length ?? 0;
      if (text !== undefined) {
        text += decoded;
        isDocumentBody ||= isDocument(text);
        if (isDocumentBody && bytes > MAX_ANSWER_BYTES) {
          throw tooLarge("the answer", MAX_ANSWER_BYTES);
        }
        if (isDocumentBody && isLast) {
          yield text;
          return;
        }
        if (isDocumentBody || (!isLast && text.trimStart() === "")) continue;
        decoded = text;
        text = undefined;
      }
      if (isLast) parser.end(decoded);
      else parser.feed(decoded);
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
