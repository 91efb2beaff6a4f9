/**
 * Reads server-sent events from a response body.
 *
 * @module
 */
import { BodyReader } from "./body_reader.ts";
import { EventReader } from "./event_reader.ts";

/**
 * Yields the `data` of events in batches, one for each chunk that completes any. Comments
 * (keep-alives) and events without data yield nothing. A body that is a document instead (JSON, HTML),
 * whatever its content type says, yields its whole text once, decoded from `charset`. Leaving the loop
 * cancels the body.
 *
 * @param onOpen receives a function that stops reading immediately, even while the server is silent
 *
 * @throws {MalformedResponseError} when an event or the whole body is too large
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  charset = "utf-8",
  onOpen?: (close: () => void) => void,
): AsyncGenerator<string[] | string, void, void> {
  const events = new EventReader(charset);
  const reader = new BodyReader(body);
  onOpen?.(() => reader.close());
  try {
    while (true) {
      const chunk = await reader.read();
      const batch = chunk === undefined ? events.end() : events.push(chunk);
      if (batch.length > 0) yield batch;
      if (chunk !== undefined) continue;
      if (events.document !== undefined) yield events.document;
      return;
    }
  } finally {
    reader.close();
  }
}
