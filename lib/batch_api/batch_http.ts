/**
 * Defines how batch APIs send their requests: JSON, uploads from a file, and results line by line.
 *
 * @module
 */

/** A body that is read while it is sent. */
export interface StreamedBody {
  /** Its exact size in bytes, which becomes the `content-length`. */
  size: number;
  /** Opens it. Can be called again. */
  open(): ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** A request of a batch API. */
export interface BatchRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /**
   * A path under the base URL, such as `/batches`; or an absolute URL. The key and the user's headers are only
   * sent to the origin of the base URL.
   */
  path: string;
  query?: Record<string, string | undefined>;
  /** Headers in addition to those of the endpoint. */
  headers?: Record<string, string>;
  /** A body that is sent as JSON. */
  json?: unknown;
  /** Another body; set its `content-type` in `headers`. */
  body?: StreamedBody | string;
  /**
   * Returns answers with status 3xx instead of failing; {@link BatchHttp.lines} follows them instead.
   *
   * @default false
   */
  allowRedirect?: boolean;
}

/** An answer whose body has been read. It may repeat a key that was sent. */
export interface BatchResponse {
  status: number;
  headers: Headers;
  /** The parsed JSON; `undefined` if the body is empty or no JSON. */
  json: unknown;
  /** The body as text, for JSON whose numbers must not change. */
  text: string;
}

/** Sends the requests of a batch API to one endpoint. */
export interface BatchHttp {
  /**
   * Milliseconds by which the server's clock is ahead of ours, from its last answer; `undefined` while it has not
   * reported the time. Servers report whole seconds.
   */
  readonly clockOffset?: number;
  /**
   * Sends a request and reads the answer.
   *
   * @throws {FlexLLMError} if it cannot be sent, the status is not 2xx, or the answer is a web page
   */
  send(request: BatchRequest): Promise<BatchResponse>;
  /**
   * Sends a GET and yields the lines of the answer as they arrive, without their `\n`. Only U+000A ends a line;
   * empty lines are left out.
   *
   * @throws {FlexLLMError} as `send`, also when the connection ends before the body is complete
   */
  lines(request: Omit<BatchRequest, "method" | "json" | "body">): AsyncIterable<string>;
}
