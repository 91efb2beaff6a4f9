/**
 * Receives the response to a request that was sent without `fetch`: through undici's dispatcher, or by our client.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { decodeContent } from "./content_decoder.ts";

/** How undici reports what happens to a request: its API for handlers, version 1. */
export interface DispatchHandler {
  onConnect(abort: (reason?: unknown) => void): void;
  onHeaders(status: number, rawHeaders: RawHeaders, resume: () => void): boolean;
  onData(chunk: Uint8Array): boolean;
  onComplete(): void;
  onError(error: unknown): void;
}

/** Names and values in turn, as bytes or as text. */
type RawHeaders = readonly Buffer[] | readonly string[];

type Bytes = Uint8Array<ArrayBuffer>;

/** Takes the chunks of a body: see {@link DispatchedResponse.forEach}. */
interface Consumer {
  take(chunk: Uint8Array): boolean;
  maxPart: number;
  resolve(): void;
  reject(reason: unknown): void;
}

/** Maximum bytes of a body that are buffered before it is read. */
const READ_AHEAD = 64 * 1024;

const decoder = new TextDecoder();

function textOf(raw: Buffer | string): string {
  return typeof raw === "string" ? raw : raw.toString("latin1");
}

/** The parts of a `Response` that are used here, without the cost of the web's streams for a body read at once. */
export class DispatchedResponse
  implements DispatchHandler, Pick<Response, "status" | "ok" | "headers" | "body" | "text"> {
  status = 0;
  /** Resolves when the headers have arrived. */
  readonly opened: Promise<DispatchedResponse>;
  #onOpen!: (response: DispatchedResponse) => void;
  #onFailure!: (reason: unknown) => void;
  readonly #signal: AbortSignal | null;
  #onSignal: (() => void) | undefined;
  #abort: ((reason?: unknown) => void) | undefined;
  #resume: (() => void) | undefined;
  #rawHeaders: RawHeaders = [];
  #headers: Headers | undefined;
  #body: ReadableStream<Bytes> | undefined;
  /** What has arrived and not been read, and its size. */
  #chunks: Uint8Array[] = [];
  #size = 0;
  #readAhead = READ_AHEAD;
  #isPaused = false;
  #isOver = false;
  #failure: { reason: unknown } | undefined;
  /** Wakes the reader. */
  #onArrival: (() => void) | undefined;
  #consumer: Consumer | undefined;
  /** Whether the consumer takes no chunk now. */
  #isHeld = false;

  /** Prepares for one response. When `signal` fires, the request is aborted, and all reading fails. */
  constructor(signal?: AbortSignal | null) {
    this.#signal = signal ?? null;
    this.opened = new Promise((resolve, reject) => {
      this.#onOpen = resolve;
      this.#onFailure = reject;
    });
    if (signal?.aborted) this.abort(signal.reason);
    else if (signal) {
      signal.addEventListener(
        "abort",
        this.#onSignal = () => this.abort(signal.reason),
      );
    }
  }

  onConnect(abort: (reason?: unknown) => void): void {
    this.#abort = abort;
    if (this.#failure !== undefined) abort(this.#failure.reason);
  }

  onHeaders(status: number, rawHeaders: RawHeaders, resume: () => void): boolean {
    // Those of informational responses come before the final ones.
    if (status < 200) return true;
    this.status = status;
    this.#rawHeaders = rawHeaders;
    this.#resume = resume;
    this.#onOpen(this);
    return true;
  }

  /** Returns whether more may arrive. */
  onData(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#onArrival?.();
    this.#deliver();
    this.#isPaused = this.#size > this.#readAhead;
    return !this.#isPaused;
  }

  onComplete(): void {
    this.#end();
  }

  onError(error: unknown): void {
    if (!this.#isOver) this.#fail(error);
  }

  /** Whether nothing more arrives: the response is complete, has failed or was aborted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** The value of a header; `null` if there is none. `name` is in lower case. */
  header(name: string): string | null {
    const raw = this.#rawHeaders;
    let found: string | null = null;
    for (let i = 0; i < raw.length; i += 2) {
      if (raw[i].length !== name.length || textOf(raw[i]).toLowerCase() !== name) continue;
      const value = textOf(raw[i + 1]);
      found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  /** Lazy: few responses need more than {@link header}. */
  get headers(): Headers {
    if (this.#headers !== undefined) return this.#headers;
    const headers = this.#headers = new Headers();
    for (let i = 0; i < this.#rawHeaders.length; i += 2) {
      headers.append(textOf(this.#rawHeaders[i]), textOf(this.#rawHeaders[i + 1]));
    }
    return headers;
  }

  /** Whether the body is compressed. Only {@link body} decodes it. */
  get isEncoded(): boolean {
    return this.header("content-encoding") !== null;
  }

  /** The decoded body. */
  get body(): ReadableStream<Bytes> {
    if (this.#body !== undefined) return this.#body;
    const encoding = this.header("content-encoding");
    const body = this.#stream();
    return this.#body = encoding === null ? body : decodeContent(body, encoding);
  }

  /** Reads the text of a body that is not compressed. */
  async text(): Promise<string> {
    return decoder.decode(await this.bytes(Infinity));
  }

  /**
   * Reads a body that is not compressed. One of more than `maxBytes` closes the connection and returns
   * `undefined`.
   */
  async bytes(maxBytes: number): Promise<Uint8Array | undefined> {
    this.#readAhead = Infinity;
    this.#continue();
    while (!this.#isOver && this.#size <= maxBytes) await this.#arrival();
    if (this.#failure !== undefined) throw this.#failure.reason;
    if (this.#size > maxBytes) {
      this.abort(new TypeError("the body is too large"));
      return undefined;
    }
    return this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#size);
  }

  /** Reads the next chunk of a body that is not compressed; `undefined` at the end. */
  async read(): Promise<Uint8Array | undefined> {
    while (!this.#isOver && this.#chunks.length === 0) await this.#arrival();
    const chunk = this.#shift(Infinity);
    if (chunk === undefined && this.#failure !== undefined) throw this.#failure.reason;
    return chunk;
  }

  /** Removes the next chunk, or the first part of it, from what has arrived. */
  #shift(maxPart: number): Uint8Array | undefined {
    let chunk = this.#chunks[0];
    if (chunk === undefined) return undefined;
    if (chunk.length <= maxPart) {
      this.#chunks.shift();
    } else {
      this.#chunks[0] = chunk.subarray(maxPart);
      chunk = chunk.subarray(0, maxPart);
    }
    this.#size -= chunk.length;
    if (this.#size <= this.#readAhead) this.#continue();
    return chunk;
  }

  /**
   * Passes the chunks of a body that is not compressed to `take` as they arrive, without a promise for each. If it
   * returns `false`, the next one waits for {@link DispatchedResponse.proceed}. Resolves at the end of the body, or when
   * it is cancelled or {@link DispatchedResponse.stop} is called. Rejects if the body fails or `take` throws.
   *
   * @param maxPart maximum bytes of a chunk; larger ones are passed in parts
   */
  forEach(take: (chunk: Uint8Array) => boolean, maxPart: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#consumer = { take, maxPart, resolve, reject };
      this.#deliver();
    });
  }

  /** Passes the next chunk. */
  proceed(): void {
    this.#isHeld = false;
    this.#deliver();
  }

  /** Passes no more chunks. */
  stop(): void {
    this.#consumer?.resolve();
    this.#consumer = undefined;
  }

  #deliver(): void {
    while (this.#consumer !== undefined && !this.#isHeld) {
      const { take, maxPart, resolve, reject } = this.#consumer;
      // Until it is known whether the consumer takes more: asking for a chunk may bring the next one at once.
      this.#isHeld = true;
      const chunk = this.#shift(maxPart);
      try {
        if (chunk !== undefined) {
          if (take(chunk)) this.#isHeld = false;
          continue;
        }
        this.#isHeld = false;
        if (!this.#isOver) return;
        if (this.#failure !== undefined) throw this.#failure.reason;
        resolve();
      } catch (error) {
        reject(error);
      }
      this.#consumer = undefined;
    }
  }

  #stream(): ReadableStream<Bytes> {
    return new ReadableStream({
      pull: async (controller) => {
        const chunk = await this.read();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk as Bytes);
      },
      cancel: () => this.cancel(),
    }, { highWaterMark: 0 });
  }

  /** Resolves when a part of the body, its end or an error has arrived. */
  #arrival(): Promise<void> {
    return new Promise((resolve) => this.#onArrival = resolve);
  }

  #continue(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#resume!();
  }

  /** Ends the response: the request is aborted, and all reading fails with `reason`. */
  abort(reason: unknown): void {
    if (this.#isOver) return;
    this.#discard();
    this.#fail(reason);
    this.#abort?.(reason);
  }

  /** Ends the response, as if its body ended here. */
  cancel(): void {
    this.#discard();
    if (this.#isOver) return;
    this.#end();
    this.#abort?.();
  }

  #discard(): void {
    this.#chunks = [];
    this.#size = 0;
    this.#isHeld = false;
  }

  #fail(reason: unknown): void {
    this.#failure = { reason };
    this.#onFailure(reason);
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    if (this.#onSignal !== undefined) this.#signal!.removeEventListener("abort", this.#onSignal);
    this.#onArrival?.();
    this.#deliver();
  }
}

/** Whether a response is a {@link DispatchedResponse}. */
export function isDispatched(response: object): response is DispatchedResponse {
  return response instanceof DispatchedResponse;
}
