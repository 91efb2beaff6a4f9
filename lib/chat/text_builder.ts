/**
 * Joins the pieces of a streamed text.
 *
 * @module
 */

/** Pieces that are joined at a time. */
const JOINED = 128;

/**
 * A text that grows piece by piece. `+=` would keep every piece in memory until the text is read, as a string of its
 * own and as a node of a tree that the garbage collector visits again and again.
 */
export class TextBuilder {
  #text = "";
  #pieces: string[] = [];

  /** Appends a piece. */
  add(piece: string): void {
    if (this.#pieces.push(piece) === JOINED) this.#join();
  }

  /** Removes all text. */
  clear(): void {
    this.#text = "";
    this.#pieces = [];
  }

  /** The text so far. */
  get text(): string {
    this.#join();
    return this.#text;
  }

  #join(): void {
    if (this.#pieces.length === 0) return;
    this.#text += this.#pieces.join("");
    this.#pieces = [];
  }
}
