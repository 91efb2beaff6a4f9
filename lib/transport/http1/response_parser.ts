/**
 * Parses HTTP/1.x responses as their bytes arrive.
 *
 * Source: RFC 9112, sections 2.2, 6 and 7.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { partOf } from "../../runtime/part_of.ts";
import { InvalidHttpError, parseHead, type ResponseHead } from "./response_head.ts";

/** Maximum bytes of the headers of a response, and of the trailers of its body. */
const MAX_HEAD = 64 * 1024;
/** Maximum bytes of the line before a chunk. */
const MAX_CHUNK_LINE = 4 * 1024;

const LF = 0x0a;
const CR = 0x0d;
/** A line so far: nothing, a carriage return, or more. The line break of one that is not empty may be a LF alone. */
const [EMPTY, RETURN, FILLED] = [0, 1, 2];
/** What may follow the size of a chunk: a tab, a space, `;`. */
const EXTENSION: ReadonlySet<number> = new Set([0x09, 0x20, 0x3b]);

/** How a response starts. */
const PREFIX = "HTTP/1.";

/** Receives what is parsed. */
export interface ResponseListener {
  /** Called with the final head of a response, not with informational ones (1xx). */
  onHead(head: ResponseHead): void;
  /** Called with parts of the body. */
  onBody(part: Uint8Array): void;
}

/** What comes next. */
type State =
  | "head"
  | "content"
  | "content until close"
  | "chunk size"
  | "chunk extension"
  | "chunk content"
  | "chunk end"
  | "trailers"
  | "nothing";

/** The value of a hexadecimal digit; -1 for other bytes. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Parses the responses of one connection, one after the other. */
export class ResponseParser {
  readonly #listener: ResponseListener;
  #method = "";
  #state: State = "nothing";
  /** The head so far, and its size with those of informational responses before it. */
  #head = "";
  #headSize = 0;
  /** The current line of the head or the trailers so far. */
  #line = EMPTY;
  /** Bytes of the body or the chunk that are still to come. */
  #left = 0;
  /** Bytes of the line before the current chunk, and whether it has a digit. */
  #chunkLine = 0;
  #hasSize = false;
  /** Whether the last byte was a carriage return. */
  #hasReturn = false;

  constructor(listener: ResponseListener) {
    this.#listener = listener;
  }

  /** Prepares for the response to a request. */
  start(method: string): void {
    this.#method = method;
    this.#state = "head";
    this.#head = "";
    this.#headSize = 0;
    this.#line = EMPTY;
    this.#chunkLine = 0;
    this.#hasSize = false;
    this.#hasReturn = false;
  }

  /** Whether the response has been parsed to its end. */
  get isComplete(): boolean {
    return this.#state === "nothing";
  }

  /**
   * Parses the next bytes, whose memory may be changed. Returns how many of them belong to the response.
   *
   * @throws {InvalidHttpError} if they are not HTTP/1.x
   */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#state !== "nothing") {
      switch (this.#state) {
        case "head":
          at = this.#pushHead(bytes, at);
          break;
        case "content":
          at = this.#pushContent(bytes, at);
          break;
        case "content until close":
          this.#listener.onBody(bytes.subarray(at));
          at = bytes.length;
          break;
        default:
          at = this.#pushChunks(bytes, at);
      }
    }
    return at;
  }

  /**
   * Ends the response with the connection.
   *
   * @throws {Error} if it is not complete
   */
  end(): void {
    if (this.#state === "content until close") this.#state = "nothing";
    if (this.#state !== "nothing") throw new Error("the connection was closed");
  }

  #pushHead(bytes: Buffer, start: number): number {
    let from = start;
    // Some servers send a line break after a body. The next response starts after it.
    if (this.#head === "") { while (bytes[from] === CR || bytes[from] === LF) from++; }
    const end = this.#endOfLines(bytes, from);
    const next = end ?? bytes.length;
    this.#head += bytes.toString("latin1", from, next);
    this.#countHead(next - start);
    if (!this.#head.startsWith(PREFIX) && !PREFIX.startsWith(this.#head)) {
      throw new InvalidHttpError("no status line");
    }
    if (end === undefined) return next;
    const head = parseHead(this.#head.trimEnd(), this.#method);
    this.#head = "";
    this.#line = EMPTY;
    if (head.status < 200) {
      // The final head follows; but not if the server changes the protocol.
      if (head.status === 101) throw new InvalidHttpError("a change of protocol");
      return next;
    }
    this.#left = head.length ?? 0;
    this.#state = head.length === 0
      ? "nothing"
      : head.length !== undefined
      ? "content"
      : head.isChunked
      ? "chunk size"
      : "content until close";
    this.#chunkLine = 0;
    this.#listener.onHead(head);
    return next;
  }

  /** Finds the empty line that ends the head or the trailers. Returns the position after it. */
  #endOfLines(bytes: Buffer, start: number): number | undefined {
    let line = this.#line;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte !== LF) {
        line = byte === CR && line === EMPTY ? RETURN : FILLED;
      } else if (line === FILLED) {
        line = EMPTY;
      } else {
        this.#line = EMPTY;
        return at + 1;
      }
    }
    this.#line = line;
    return undefined;
  }

  #countHead(bytes: number): void {
    this.#headSize += bytes;
    if (this.#headSize > MAX_HEAD) throw new Error("the response head is too large");
  }

  #pushContent(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#left);
    this.#left -= end - start;
    if (this.#left === 0) this.#state = "nothing";
    const isWhole = start === 0 && end === bytes.length;
    this.#listener.onBody(isWhole ? bytes : partOf(bytes, start, end));
    return end;
  }

  /** Parses chunks. Moves their contents together, so that all of them are one part of the body. */
  #pushChunks(bytes: Buffer, start: number): number {
    let at = start;
    let [from, to] = [start, start];
    while (at < bytes.length && this.#state !== "nothing") {
      if (this.#state === "chunk content") {
        const end = Math.min(bytes.length, at + this.#left);
        if (from === to) from = to = at;
        else if (to !== at) bytes.copyWithin(to, at, end);
        to += end - at;
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#state = "chunk end";
      } else if (this.#state === "trailers") {
        const end = this.#endOfLines(bytes, at);
        this.#countHead((end ?? bytes.length) - at);
        at = end ?? bytes.length;
        if (end !== undefined) this.#state = "nothing";
      } else {
        this.#pushChunkLine(bytes[at++]);
      }
    }
    if (to > from) this.#listener.onBody(partOf(bytes, from, to));
    return at;
  }

  /** Parses a byte of a line before the content of a chunk, or of the line break after it. */
  #pushChunkLine(byte: number): void {
    // A line feed alone would make it unclear where a chunk ends.
    if (byte === LF) {
      if (!this.#hasReturn) throw new InvalidHttpError("a chunk without a line break");
      this.#hasReturn = false;
      if (this.#state === "chunk end") this.#state = "chunk size";
      else this.#startChunk();
    } else if (this.#hasReturn) {
      throw new InvalidHttpError("a chunk without a line break");
    } else if (byte === CR) {
      this.#hasReturn = true;
    } else if (this.#state === "chunk end") {
      throw new InvalidHttpError("a chunk that is longer than its size");
    } else {
      this.#pushChunkSize(byte);
    }
  }

  #pushChunkSize(byte: number): void {
    if (++this.#chunkLine > MAX_CHUNK_LINE) throw new InvalidHttpError("the size of a chunk");
    const digit = this.#state === "chunk size" ? digitOf(byte) : -1;
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      this.#hasSize = true;
      if (this.#left > Number.MAX_SAFE_INTEGER) throw new InvalidHttpError("the size of a chunk");
    } else if (this.#hasSize && (this.#state === "chunk extension" || EXTENSION.has(byte))) {
      this.#state = "chunk extension";
    } else {
      throw new InvalidHttpError("the size of a chunk");
    }
  }

  #startChunk(): void {
    if (!this.#hasSize) throw new InvalidHttpError("the size of a chunk");
    this.#state = this.#left === 0 ? "trailers" : "chunk content";
    this.#line = EMPTY;
    this.#hasSize = false;
    this.#chunkLine = 0;
  }
}
