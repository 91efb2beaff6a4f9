/**
 * Reads bodies, whole or piece by piece. Where a stream can fill memory of ours (Deno, Node), the same
 * few pieces of memory do for all bodies: Deno takes three times as long with new memory for each
 * piece, and its own `text()` knows no bound.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { streamsFillMemory } from "../runtime/runtime.ts";

/** The bytes of a piece of memory: what one read can give at most, and more than most answers have. */
const PIECE = 64 * 1024;
/** How many pieces of memory are kept for the next bodies: as many as may be read at once. */
const SPARE = 1024;
const spare: ArrayBuffer[] = [];

function takeMemory(): ArrayBuffer {
  return spare.pop() ?? new ArrayBuffer(PIECE);
}

function giveBack(memory: ArrayBuffer): void {
  if (memory.byteLength === PIECE && spare.length < SPARE) spare.push(memory);
}

function twice(memory: ArrayBuffer): ArrayBuffer {
  const larger = new Uint8Array(2 * memory.byteLength);
  larger.set(new Uint8Array(memory));
  return larger.buffer;
}

type Body = ReadableStream<Uint8Array>;

/** A reader that fills memory of ours; `undefined` when the stream can only give its own. */
function fillingReader(body: Body): ReadableStreamBYOBReader | undefined {
  if (!streamsFillMemory) return undefined;
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    // The stream of a stand-in for fetch.
    return undefined;
  }
}

/** A body, piece by piece. */
export class BodyReader {
  readonly #filling: ReadableStreamBYOBReader | undefined;
  readonly #giving: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #memory: ArrayBuffer | undefined;

  constructor(body: Body) {
    this.#filling = fillingReader(body);
    if (this.#filling === undefined) this.#giving = body.getReader();
    else this.#memory = takeMemory();
  }

  /** The next piece, which holds until the one after it is asked for; `undefined` at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#filling === undefined) return (await this.#giving!.read()).value;
    const { done, value } = await this.#filling.read(new Uint8Array(this.#memory!));
    this.#memory = value?.buffer;
    return done ? undefined : value;
  }

  /** Must be called at last: cuts the connection when the body has not been read to its end. */
  close(): void {
    if (this.#memory !== undefined) giveBack(this.#memory);
    this.#memory = undefined;
    (this.#filling ?? this.#giving)!.cancel().catch(() => {});
  }
}

/**
 * Gives what `use` makes of all bytes of a body, which are its own only while it is called;
 * `undefined`, with the connection cut, when they are more than `most`.
 */
export async function readWhole<T>(
  body: Body,
  most: number,
  use: (bytes: Uint8Array) => T,
): Promise<T | undefined> {
  const reader = fillingReader(body);
  if (reader === undefined) return await gather(body.getReader(), most, use);
  let memory = takeMemory();
  let length = 0;
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(memory, length));
    if (value === undefined) throw new TypeError("the body was cancelled");
    memory = value.buffer;
    if (done) break;
    length += value.length;
    if (length > most) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    if (length === memory.byteLength) memory = twice(memory);
  }
  const used = use(new Uint8Array(memory, 0, length));
  giveBack(memory);
  return used;
}

/** The same for a stream that gives memory of its own. */
async function gather<T>(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  most: number,
  use: (bytes: Uint8Array) => T,
): Promise<T | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) return use(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, length));
    pieces.push(value);
    length += value.length;
    if (length > most) {
      reader.cancel().catch(() => {});
      return undefined;
    }
  }
}
