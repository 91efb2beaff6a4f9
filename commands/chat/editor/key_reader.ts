/**
 * Decodes what a terminal sends into keys.
 *
 * @module
 */
import * as readline from "node:readline";
import { PassThrough } from "node:stream";

/** A key, as `readline` describes it. */
export type Key = readline.Key;

/**
 * Milliseconds after which an Escape that nothing follows is the key itself, not the start of a sequence. The
 * default of `readline`, 500, is noticeable.
 */
export const ESCAPE_TIMEOUT = 50;

/** Decodes keys and reports each to a function. */
export class KeyReader {
  readonly #input = new PassThrough();

  /** @param onKey called with the typed text, if any, and the key */
  constructor(onKey: (text: string | undefined, key: Key) => void) {
    readline.emitKeypressEvents(
      this.#input,
      { escapeCodeTimeout: ESCAPE_TIMEOUT } as unknown as readline.Interface,
    );
    this.#input.on("keypress", onKey);
  }

  /** Decodes `text`. The keys are reported before this returns, except for a lone Escape. */
  push(text: string): void {
    // Emitted directly, because a write would arrive later.
    this.#input.emit("data", text);
  }
}
