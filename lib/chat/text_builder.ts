/**
 * Joins the pieces of a streamed text.
 *
 * @module
 */

/** Pieces that are joined at a time. With more, thousands of open streams would keep several times as many pieces. */
const JOINED = 16;
/**
 * The last group. Decoders and callers build the same text of a stream piece by piece: with this, both refer to one
 * string for each group instead of a copy each.
 */
let lastGroup = "";

/**
 * A text that grows piece by piece. `+=` would keep every piece in memory until the text is read, as a string of its
 * own and as a node of a tree that the garbage collector visits again and again.
 */
export class TextBuilder {
  #text = "";
  /** Reused for all pieces: a new array for each group would have to grow again. */
  readonly #pieces: string[] = [];
  /** Pieces that are not joined yet. */
  #count = 0;

  /** Appends a piece. */
  add(piece: string): void {
    this.#pieces[this.#count++] = piece;
    if (this.#count === JOINED) this.#join();
  }

  /** Removes all text. */
  clear(): void {
    this.#text = "";
    this.#count = 0;
  }

  /** The text so far. */
  get text(): string {
    this.#join();
    return this.#text;
  }

  #join(): void {
    if (this.#count === 0) return;
    // Pieces of the last group may follow.
    this.#pieces.length = this.#count;
    const group = this.#pieces.join("");
    if (group !== lastGroup) lastGroup = group;
    this.#text += lastGroup;
    this.#count = 0;
  }
}
