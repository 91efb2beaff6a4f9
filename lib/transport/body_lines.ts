/**
 * Reads a response body line by line, in flat memory.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { ConnectionError } from "../errors.ts";
import { BodyReader } from "./body_reader.ts";
import type { Exchange, Fetch } from "./http.ts";
import { MAX_ANSWER_BYTES, tooLarge } from "./read_body.ts";

const NEWLINE = 10;

/** Splits chunks of bytes into lines. */
class LineSplitter {
  /** The pieces of a line whose end has not arrived yet. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  readonly #decoder = new TextDecoder();

  /**
   * Yields the lines that `chunk` completes. Empty ones are left out.
   *
   * @throws {MalformedResponseError} if a line is larger than {@link MAX_ANSWER_BYTES}
   */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      const line = this.#take(chunk.subarray(start, end));
      if (line !== "") yield line;
    }
    const rest = chunk.subarray(start);
    this.#length += rest.length;
    if (this.#length > MAX_ANSWER_BYTES) throw tooLarge("a line of the answer", MAX_ANSWER_BYTES);
    // A copy: the chunk's memory is reused.
    if (rest.length > 0) this.#pieces.push(rest.slice());
  }

  /** The last line, which may lack a newline; empty if there is none. */
  end(): string {
    return this.#take(new Uint8Array());
  }

  #take(last: Uint8Array): string {
    const bytes = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#length = 0;
    const line = this.#decoder.decode(bytes);
    return line.trim() === "" ? "" : line;
  }
}

/** The number of bytes that the body must have, if it is known. */
function expectedLength({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  // Of a compressed body it is the compressed length.
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
}

/** How the lines of a body are read. */
export interface LineOptions {
  exchange: Exchange;
  fetch: Fetch;
  /** Seconds without any bytes after which reading fails. Time that the consumer takes does not count. */
  timeout: number;
  /** What to do after a timeout. */
  hint: string;
}

/**
 * Yields the lines of a body as they arrive, without their newline. Only U+000A ends a line: JSON may contain
 * U+2028 and others as they are. Empty lines are left out, and the last one needs no newline.
 *
 * @throws {ConnectionError} when the connection ends before the body is complete
 * @throws {TimeoutError} when nothing arrives for `timeout` seconds
 * @throws {MalformedResponseError} when a line is larger than {@link MAX_ANSWER_BYTES}
 */
export async function* bodyLines(
  response: Response,
  { exchange, fetch, timeout, hint }: LineOptions,
): AsyncGenerator<string, void, void> {
  const expected = expectedLength(response);
  const reader = new BodyReader(response);
  const splitter = new LineSplitter();
  let received = 0;
  try {
    while (true) {
      exchange.limit(timeout, "nothing more of the answer arrived", hint);
      const chunk = await exchange.orEnd(reader.read(), fetch);
      exchange.pause();
      if (chunk === undefined) break;
      received += chunk.length;
      yield* splitter.push(chunk);
    }
  } finally {
    reader.close();
  }
  if (expected !== undefined && received < expected) {
    throw new ConnectionError("the connection was closed before the answer was complete");
  }
  const last = splitter.end();
  if (last !== "") yield last;
}
