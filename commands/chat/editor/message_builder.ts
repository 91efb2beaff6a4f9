/**
 * Joins lines into messages: a trailing backslash continues a message on the next line, and `"""`
 * delimits a message of several lines.
 *
 * @module
 */

const QUOTES = '"""';

/** Collects the lines of one message. */
export class MessageBuilder {
  #lines: string[] = [];
  #isQuoted = false;

  /** Whether a message has been started but not completed. */
  get isIncomplete(): boolean {
    return this.#lines.length > 0 || this.#isQuoted;
  }

  /** Adds a line. Returns the message if the line completes it. */
  push(line: string): string | undefined {
    let text = line;
    if (!this.isIncomplete && text.trimStart().startsWith(QUOTES)) {
      this.#isQuoted = true;
      text = text.trimStart().slice(QUOTES.length);
      if (text === "") return undefined;
    }
    if (this.#isQuoted) {
      if (!text.trimEnd().endsWith(QUOTES)) {
        this.#lines.push(text);
        return undefined;
      }
      text = text.trimEnd().slice(0, -QUOTES.length);
      if (text !== "") this.#lines.push(text);
      return this.finish();
    }
    if (text.endsWith("\\")) {
      this.#lines.push(text.slice(0, -1));
      return undefined;
    }
    this.#lines.push(text);
    return this.finish();
  }

  /** Returns the lines so far and starts a new message. */
  finish(): string {
    const message = this.#lines.join("\n");
    this.#lines = [];
    this.#isQuoted = false;
    return message;
  }
}
