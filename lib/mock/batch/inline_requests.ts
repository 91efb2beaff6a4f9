/**
 * Splits a JSON body with an array of requests while it is read, so that a large batch is never in memory.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";

/** The rest of a body whose array has been read. */
export interface InlineBody {
  /** The other fields. */
  fields: Json;
  /** The names of all fields, in the order of the body. */
  order: string[];
  /** Elements of the array; `undefined` if the body has no such array. */
  rows: number | undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The bytes of a value that may arrive in several chunks. */
class Capture {
  #parts: Uint8Array[] = [];
  #depth = 0;
  #inString = false;
  #escaped = false;

  /**
   * Scans `bytes` from `at` to the end of the value: the comma or bracket after it. Returns its index, or the
   * length if the value continues in the next chunk.
   */
  scan(bytes: Uint8Array, at: number): number {
    const start = at;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      const ends = byte === COMMA || byte === COLON || byte === CLOSE_ARRAY ||
        byte === CLOSE_OBJECT;
      if (this.#depth === 0 && ends) break;
      if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.#depth++;
      else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) this.#depth--;
    }
    // The chunk belongs to the reader, which may use its memory again.
    if (at > start) this.#parts.push(bytes.slice(start, at));
    return at;
  }

  /** The text of the value. */
  take(): string {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let text = "";
    for (const part of this.#parts) text += decoder.decode(part, { stream: true });
    this.#parts = [];
    return text + decoder.decode();
  }
}

type State = "start" | "key" | "colon" | "value" | "next" | "row" | "nextRow" | "end";

/**
 * Reads a body such as `{"model":"m","requests":[{…},{…}]}`. Yields the elements of the array, parsed, and
 * returns the rest. Only one element is in memory at a time.
 *
 * @param name the field with the array
 * @param fields receives the other fields as they arrive
 * @throws {SyntaxError} if the body is not such an object
 */
export async function* readInlineRequests(
  body: ReadableStream<Uint8Array> | null,
  name: string,
  fields: Json = {},
): AsyncGenerator<unknown, InlineBody, void> {
  const order: string[] = [];
  let rows: number | undefined;
  let state: State = "start";
  let isFirst = true;
  let key = "";
  let capture: Capture | undefined;
  const unexpected = () => new SyntaxError("The body is not a JSON object.");

  for await (const bytes of body ?? []) {
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (capture !== undefined) {
        at = capture.scan(bytes, at);
        if (at === bytes.length) break;
        const value: unknown = JSON.parse(capture.take());
        capture = undefined;
        if (state === "key") {
          if (typeof value !== "string") throw unexpected();
          key = value;
          order.push(key);
          state = "colon";
        } else if (state === "row") {
          rows = (rows ?? 0) + 1;
          state = "nextRow";
          yield value;
        } else {
          fields[key] = value;
          state = "next";
        }
        continue;
      }
      if (isSpace(byte)) {
        at++;
        continue;
      }
      switch (state) {
        case "start":
          if (byte !== OPEN_OBJECT) throw unexpected();
          state = "key";
          isFirst = true;
          at++;
          break;
        case "key":
          if (byte === CLOSE_OBJECT && isFirst) {
            state = "end";
            at++;
          } else if (byte === QUOTE) {
            capture = new Capture();
          } else throw unexpected();
          isFirst = false;
          break;
        case "colon":
          if (byte !== COLON) throw unexpected();
          state = "value";
          at++;
          break;
        case "value":
          if (key === name && byte === OPEN_ARRAY) {
            rows ??= 0;
            state = "row";
            isFirst = true;
            at++;
          } else capture = new Capture();
          break;
        case "row":
          if (byte === CLOSE_ARRAY && isFirst) {
            state = "next";
            at++;
          } else capture = new Capture();
          isFirst = false;
          break;
        case "nextRow":
          if (byte !== COMMA && byte !== CLOSE_ARRAY) throw unexpected();
          state = byte === COMMA ? "row" : "next";
          at++;
          break;
        case "next":
          if (byte !== COMMA && byte !== CLOSE_OBJECT) throw unexpected();
          state = byte === COMMA ? "key" : "end";
          at++;
          break;
        case "end":
          throw unexpected();
      }
    }
  }
  if (state !== "end") throw unexpected();
  return { fields, order, rows };
}
