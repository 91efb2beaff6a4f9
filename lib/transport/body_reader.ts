/**
 * Reads response bodies, whole or chunk by chunk, into pooled buffers.
 *
 * Where the streams of `fetch` can fill our buffers (Deno, Node), a few buffers serve all bodies: with a new buffer for
 * each chunk Deno takes three times as long, and its own `text()` has no size limit.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type DispatchedResponse, isDispatched } from "../runtime/dispatched_response.ts";
import { streamsFillMemory } from "../runtime/runtime.ts";

/** The size of a buffer in bytes: the maximum of one read, and more than most answers have. */
const BUFFER_SIZE = 64 * 1024;
/**
 * The size of the buffer of a stream that waits for its next tokens, in bytes. Thousands may wait at once, so larger
 * buffers are only for those that fill this one.
 */
const SMALL_BUFFER_SIZE = 4 * 1024;
/** Maximum buffers in the pool: about as many as bodies are read at once. */
const MAX_POOLED = 1024;
const pool: ArrayBuffer[] = [];

function takeBuffer(): ArrayBuffer {
  return pool.pop() ?? new ArrayBuffer(BUFFER_SIZE);
}

function releaseBuffer(buffer: ArrayBuffer): void {
  if (buffer.byteLength === BUFFER_SIZE && pool.length < MAX_POOLED) pool.push(buffer);
}

function grow(buffer: ArrayBuffer): ArrayBuffer {
  const larger = new Uint8Array(2 * buffer.byteLength);
  larger.set(new Uint8Array(buffer));
  return larger.buffer;
}

type Body = ReadableStream<Uint8Array>;

/** A reader that fills our buffers; `undefined` if the stream allocates its own. */
function byobReader(body: Body): ReadableStreamBYOBReader | undefined {
  if (!streamsFillMemory) return undefined;
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    // A custom fetch may return any kind of stream.
    return undefined;
  }
}

/** Reads a body chunk by chunk. */
export class BodyReader {
  readonly #maxPart: number;
  /** A response that needs no streams. */
  readonly #direct: DispatchedResponse | undefined;
  readonly #byob: ReadableStreamBYOBReader | undefined;
  readonly #default: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #small: ArrayBuffer | undefined;
  /** A buffer of the pool, while the small one would be full. */
  #large: ArrayBuffer | undefined;
  /** Whether the last chunk filled the small buffer, or would have. */
  #isFull = false;
  /** What is left of a chunk that is larger than a part. */
  #rest: Uint8Array | undefined;
  /** Whether {@link BodyReader.forEach} is to pass nothing more. */
  #isStopped = false;
  #onProceed: (() => void) | undefined;

  /**
   * @param source the response or its body
   * @param maxPart the maximum of one read in bytes where streams allocate their own buffers. Bun hands over all that
   *   has arrived, up to a megabyte, and a reader that works through so much at once keeps the event loop from
   *   everything else.
   */
  constructor(source: Response | Body, maxPart: number = BUFFER_SIZE) {
    this.#maxPart = maxPart;
    if (isDispatched(source) && !source.isEncoded) {
      this.#direct = source;
      return;
    }
    const body = "body" in source ? source.body ?? new Blob().stream() : source;
    this.#byob = byobReader(body);
    if (this.#byob === undefined) this.#default = body.getReader();
    else this.#small = new ArrayBuffer(SMALL_BUFFER_SIZE);
  }

  /** Returns the next chunk, which is only valid until the next call; `undefined` at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#rest !== undefined) return this.#part(this.#rest);
    if (this.#direct !== undefined) return this.#part(await this.#direct.read());
    if (this.#byob === undefined) return this.#part((await this.#default!.read()).value);
    const isLarge = this.#isFull;
    if (isLarge) this.#large ??= takeBuffer();
    else this.#releaseLarge();
    const { done, value } = await this.#byob.read(new Uint8Array((this.#large ?? this.#small)!));
    if (isLarge) this.#large = value?.buffer;
    else this.#small = value?.buffer;
    if (done || value === undefined) return undefined;
    this.#isFull = value.length >= SMALL_BUFFER_SIZE;
    return value;
  }

  /**
   * Passes the chunks to `take` as they arrive; each is only valid during the call. If it returns `false`, the next one
   * waits for {@link BodyReader.proceed}. Resolves at the end, or when the reader is stopped or closed.
   */
  forEach(take: (chunk: Uint8Array) => boolean): Promise<void> {
    return this.#direct === undefined
      ? this.#pull(take)
      : this.#direct.forEach(take, this.#maxPart);
  }

  async #pull(take: (chunk: Uint8Array) => boolean): Promise<void> {
    while (!this.#isStopped) {
      const chunk = await this.read();
      if (chunk === undefined || this.#isStopped) return;
      if (!take(chunk)) await new Promise<void>((resolve) => this.#onProceed = resolve);
    }
  }

  /** Passes the next chunk. */
  proceed(): void {
    this.#direct?.proceed();
    this.#onProceed?.();
  }

  /** Passes no more chunks. */
  stop(): void {
    this.#isStopped = true;
    this.#direct?.stop();
    this.#onProceed?.();
  }

  #releaseLarge(): void {
    if (this.#large !== undefined) releaseBuffer(this.#large);
    this.#large = undefined;
  }

  /** The first part of a chunk; the next reads return the others. */
  #part(chunk: Uint8Array | undefined): Uint8Array | undefined {
    this.#rest = undefined;
    if (chunk === undefined || chunk.length <= this.#maxPart) return chunk;
    this.#rest = chunk.subarray(this.#maxPart);
    return chunk.subarray(0, this.#maxPart);
  }

  /** Releases the reader, and closes the connection unless the body was read to its end. */
  close(): void {
    this.stop();
    this.#releaseLarge();
    this.#small = undefined;
    this.#rest = undefined;
    this.#direct?.cancel();
    (this.#byob ?? this.#default)?.cancel().catch(() => {});
  }
}

/**
 * Reads the whole body of a response and returns what `use` makes of it; the bytes are only valid during that
 * call. A body of more than `maxBytes` closes the connection and returns `undefined`.
 */
export async function readBytes<T>(
  response: Response,
  maxBytes: number,
  use: (bytes: Uint8Array) => T,
): Promise<T | undefined> {
  if (isDispatched(response) && !response.isEncoded) {
    const bytes = await response.bytes(maxBytes);
    return bytes && use(bytes);
  }
  const { body } = response;
  if (body === null) return use(new Uint8Array());
  const reader = byobReader(body);
  if (reader === undefined) return await gather(body.getReader(), maxBytes, use);
  let buffer = takeBuffer();
  let length = 0;
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(buffer, length));
    if (value === undefined) throw new TypeError("the body was cancelled");
    buffer = value.buffer;
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    if (length === buffer.byteLength) buffer = grow(buffer);
  }
  const result = use(new Uint8Array(buffer, 0, length));
  releaseBuffer(buffer);
  return result;
}

/** Reads a whole body whose stream allocates its own buffers. */
async function gather<T>(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
  use: (bytes: Uint8Array) => T,
): Promise<T | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) return use(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length));
    chunks.push(value);
    length += value.length;
    if (length > maxBytes) {
      reader.cancel().catch(() => {});
      return undefined;
    }
  }
}
