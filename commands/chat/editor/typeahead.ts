/**
 * Queues terminal input until a line consumes it.
 *
 * @module
 */
import { StringDecoder } from "node:string_decoder";
import { PasteSplitter, type TerminalInput } from "./paste.ts";

/** The character that Ctrl-C sends in raw mode. */
export const CTRL_C = "\x03";
/** The character that Ctrl-Z sends in raw mode. */
export const CTRL_Z = "\x1a";
const CTRL_D = "\x04";

/** Keys that end a line. What follows them belongs to the next line. */
const LINE_ENDING_KEYS = ["\r", "\n", CTRL_C, CTRL_D, CTRL_Z];

/**
 * Splits keys after the first one that ends a line, and after a Tab: `readline` completes only if a Tab
 * arrives on its own.
 */
function splitKeys(text: string): [string, string] {
  const positions = [...LINE_ENDING_KEYS, "\t"].map((key) => text.indexOf(key))
    .filter((position) => position >= 0);
  if (positions.length === 0) return [text, ""];
  const end = Math.min(...positions) + 1;
  return [text.slice(0, end), text.slice(end)];
}

/** A queue of keys and pastes. */
export class Typeahead {
  readonly #decoder = new StringDecoder("utf8");
  readonly #splitter = new PasteSplitter();
  #pieces: TerminalInput[] = [];

  /** Adds what the terminal has sent. */
  push(chunk: Uint8Array | string): void {
    const text = typeof chunk === "string" ? chunk : this.#decoder.write(chunk);
    this.#pieces.push(...this.#splitter.push(text));
  }

  /** Whether the input ends with an Escape that may be a key, or the start of a paste. */
  get isUndecided(): boolean {
    return this.#splitter.isUndecided;
  }

  /** Decides that it is a key. */
  decide(): void {
    this.#pieces.push(...this.#splitter.flush());
  }

  /** Removes and returns the next piece: a paste, or keys up to the end of a line. */
  shift(): TerminalInput | undefined {
    const piece = this.#pieces.shift();
    if (piece === undefined || piece.kind === "paste") return piece;
    const [text, remaining] = splitKeys(piece.text);
    if (remaining !== "") this.#pieces.unshift({ kind: "keys", text: remaining });
    return { kind: "keys", text };
  }

  /** Whether `key` has been typed. */
  includes(key: string): boolean {
    return this.#pieces.some(({ kind, text }) => kind === "keys" && text.includes(key));
  }

  /** Removes and returns everything. */
  drain(): TerminalInput[] {
    return this.#pieces.splice(0);
  }

  /** Puts drained pieces back in front. */
  restore(pieces: readonly TerminalInput[]): void {
    this.#pieces.unshift(...pieces);
  }
}
