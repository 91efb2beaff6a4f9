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
  #isOver = false;

  /**
   * @param source the response or its body
   * @param charset of a body that is no event stream
   */
  constructor(source: Response | ReadableStream<Uint8Array>, charset = "utf-8") {
    this.#body = new BodyReader(source);
    this.#events = new EventReader(charset);
  }

  /**
   * Returns the `data` of the events that the next chunk completes, `undefined` at the end. Comments (keep-alives) and
   * events without data are left out. A body that is a document instead (JSON, HTML), whatever its content type says,
   * is returned once, as its whole text.
   *
   * @throws {MalformedResponseError} when an event or the whole body is too large
   */
  async read(): Promise<string[] | string | undefined> {
    while (!this.#isOver) {
      const chunk = await this.#body.read();
      if (chunk === undefined) return this.#end();
      const batch = this.#events.push(chunk);
      if (batch.length > 0) return batch;
    }
    return undefined;
  }

  /** Stops reading immediately, even while the server is silent, and closes the connection unless all was read. */
  close(): void {
    this.#body.close();
  }

  #end(): string[] | string | undefined {
    this.#isOver = true;
    const batch = this.#events.end();
    return batch.length > 0 ? batch : this.#events.document;
  }
}
