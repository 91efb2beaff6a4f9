/**
 * Cuts a stream of server-sent events between events, so that keep-alives and error events can be sent at any
 * time without ending up in the middle of one.
 *
 * @module
 */

const LF = 10;
const CR = 13;

/** The bytes of `parts` in one array. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Holds back the bytes of an incomplete event. */
export class EventBlocks {
  #held: Uint8Array[] = [];
  /** Number of bytes that are held back. */
  heldBytes = 0;
  /** The last two bytes before the next chunk. */
  #before: readonly [number, number] = [0, 0];

  /** Adds a chunk and returns the bytes up to the end of the last complete event; `undefined` if there is none. */
  take(chunk: Uint8Array): Uint8Array | undefined {
    const { length } = chunk;
    if (length === 0) return undefined;
    const end = this.#lastEnd(chunk);
    this.#before = length > 1
      ? [chunk[length - 2], chunk[length - 1]]
      : [this.#before[1], chunk[0]];
    if (end === 0) {
      this.#hold(chunk);
      return undefined;
    }
    const complete = end === length ? chunk : chunk.subarray(0, end);
    const taken = this.#held.length === 0 ? complete : joinBytes([...this.#held, complete]);
    this.#held = [];
    this.heldBytes = 0;
    if (end < length) this.#hold(chunk.subarray(end));
    return taken;
  }

  /** Returns the bytes after the last complete event. */
  rest(): Uint8Array {
    const rest = this.#held.length === 0 ? new Uint8Array() : joinBytes(this.#held);
    this.#held = [];
    this.heldBytes = 0;
    return rest;
  }

  #hold(bytes: Uint8Array): void {
    // A runtime may use the memory of a chunk again.
    this.#held.push(bytes.slice());
    this.heldBytes += bytes.length;
  }

  /** The position after the last blank line; 0 if there is none. */
  #lastEnd(chunk: Uint8Array): number {
    const [second, first] = this.#before;
    for (let at = chunk.length - 1; at >= 0; at--) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) continue;
      const before = at > 0 ? chunk[at - 1] : first;
      if (before === byte) return at + 1;
      if (byte === LF && before === CR) {
        const third = at > 1 ? chunk[at - 2] : at === 1 ? first : second;
        if (third === LF) return at + 1;
      }
    }
    return 0;
  }
}

/** The events in `text`, each with the blank line after it. */
export function splitBlocks(text: string): string[] {
  return text.match(/[\s\S]*?(?:\n\r?\n|\r\r|$)/g)?.filter((block) => block !== "") ?? [];
}
