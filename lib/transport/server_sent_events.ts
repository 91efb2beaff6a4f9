/**
 * Reads server-sent events from a response body.
 *
 * @module
 */
import { BodyReader } from "./body_reader.ts";
import { EventReader } from "./event_reader.ts";

/** Reads one body. */
export class ServerSentEventReader {
  readonly #body: BodyReader;
  readonly #events: EventReader;
  #isStopped = false;

  /**
   * @param source the response or its body
   * @param charset of a body that is no event stream
   */
  constructor(source: Response | ReadableStream<Uint8Array>, charset = "utf-8") {
    this.#body = new BodyReader(source);
    this.#events = new EventReader(charset);
  }

  /**
   * Passes the `data` of the events that each chunk completes to `take`. If it returns `false`, the next ones wait for
   * {@link ServerSentEventReader.proceed}. Comments (keep-alives) and events without data are left out.
   *
   * @returns what the body ends with: events whose last blank line is missing. A body that is a document instead (JSON,
   *   HTML), whatever its content type says, is returned as its whole text
   * @throws {MalformedResponseError} when an event or the whole body is too large
   */
  async forEach(take: (batch: string[]) => boolean): Promise<string[] | string> {
    await this.#body.forEach((chunk) => {
      const batch = this.#events.push(chunk);
      return batch.length === 0 || take(batch);
    });
    if (this.#isStopped) return [];
    const batch = this.#events.end();
    return this.#events.document ?? batch;
  }

  /** Passes the next events. */
  proceed(): void {
    this.#body.proceed();
  }

  /** Passes no more events. */
  stop(): void {
    this.#isStopped = true;
    this.#body.stop();
  }

  /** Stops reading immediately, even while the server is silent, and closes the connection unless all was read. */
  close(): void {
    this.#isStopped = true;
    this.#body.close();
  }
}
