/**
 * Prints an answer as it arrives; on a terminal it renders Markdown, dims thinking and replaces control
 * characters.
 *
 * @module
 */
import process from "node:process";
import type { StreamEvent } from "../../lib/chat/events.ts";
import { printable } from "../terminal/sanitize.ts";
import { colored, writeOutput } from "../terminal/output.ts";
import { MarkdownStream } from "../terminal/markdown/markdown_stream.ts";

/** How answers are shown. */
export interface AnswerViewOptions {
  /** Render Markdown. */
  markdown: boolean;
  /** Show thinking, on stderr. */
  thinking: boolean;
  /** Cleared before the first output. */
  spinner?: { clear(): void };
}

/** The width of the terminal; unlimited if stdout is redirected, so that no line is wrapped. */
function columns(): number {
  return process.stdout.isTTY ? process.stdout.columns || 80 : Infinity;
}

/** Shows one answer. */
export class AnswerView {
  readonly #markdown: MarkdownStream | undefined;
  readonly #showsThinking: boolean;
  readonly #spinner: AnswerViewOptions["spinner"];
  readonly #isTerminal = process.stdout.isTTY === true;
  #inThinking = false;
  #lastWritten = "\n";
  /** A high surrogate whose other half has not arrived. */
  #pendingSurrogate = "";

  constructor(options: AnswerViewOptions) {
    this.#markdown = options.markdown ? new MarkdownStream(columns) : undefined;
    this.#showsThinking = options.thinking;
    this.#spinner = options.spinner;
  }

  /** Shows the text or thinking of a stream event. */
  show(event: StreamEvent): void {
    if (event.type === "thinking") this.showThinking(event.text);
    // A refusal takes the place of the answer.
    else if (event.type === "text" || event.type === "refusal") this.showText(event.text);
  }

  /** Shows a piece of the thinking. */
  showThinking(received: string): void {
    const piece = this.#showsThinking ? this.#wholeCharacters(received) : "";
    if (piece === "") return;
    this.#spinner?.clear();
    this.#inThinking = true;
    process.stderr.write(colored("dim", printable(piece)));
    this.#lastWritten = piece;
  }

  /** Shows a piece of the answer. */
  showText(received: string): void {
    const piece = this.#wholeCharacters(received);
    if (piece === "") return;
    this.#spinner?.clear();
    if (this.#inThinking) {
      process.stderr.write(this.#lastWritten.endsWith("\n") ? "\n" : "\n\n");
      this.#inThinking = false;
    }
    const shown = this.#isTerminal ? printable(piece) : piece;
    this.#write(this.#markdown === undefined ? shown : this.#markdown.write(shown));
  }

  /** Holds back half a surrogate pair at the end of a piece, since UTF-8 cannot encode it. */
  #wholeCharacters(piece: string): string {
    const text = this.#pendingSurrogate + piece;
    const end = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    this.#pendingSurrogate = text.slice(end);
    return text.slice(0, end);
  }

  /** Ends the answer with a newline. */
  end(): void {
    this.#spinner?.clear();
    if (this.#markdown !== undefined) this.#write(this.#markdown.end());
    if (this.#lastWritten.endsWith("\n")) return;
    if (this.#inThinking) process.stderr.write("\n");
    else writeOutput("\n");
  }

  #write(text: string): void {
    if (text === "") return;
    writeOutput(text);
    this.#lastWritten = text;
  }
}
