/**
 * Messages out of lines: a backslash at the end of a line goes on with the next, and three quotes
 * stand around a message of several lines.
 *
 * @module
 */

const QUOTES = '"""';

/** Gathers the lines of one message. */
export class MessageLines {
  #lines: string[] = [];
  #quoted = false;

  /** Whether a message has begun that is not complete. */
  get begun(): boolean {
    return this.#lines.length > 0 || this.#quoted;
  }

  /** Takes the next line; gives the message when it is complete. */
  push(line: string): string | undefined {
    let text = line;
    if (!this.begun && text.trimStart().startsWith(QUOTES)) {
      this.#quoted = true;
      text = text.trimStart().slice(QUOTES.length);
      if (text === "") return undefined;
    }
    if (this.#quoted) {
      if (!text.trimEnd().endsWith(QUOTES)) {
        this.#lines.push(text);
        return undefined;
      }
      text = text.trimEnd().slice(0, -QUOTES.length);
      if (text !== "") this.#lines.push(text);
      return this.end();
    }
    if (text.endsWith("\\")) {
      this.#lines.push(text.slice(0, -1));
      return undefined;
    }
    this.#lines.push(text);
    return this.end();
  }

  /** Gives what there is, and begins anew. */
  end(): string {
    const message = this.#lines.join("\n");
    this.#lines = [];
    this.#quoted = false;
    return message;
  }
}
