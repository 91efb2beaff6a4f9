/**
 * Shows one answer as it arrives: on a terminal with its thinking dimmed, rendered and without control
 * characters, elsewhere as it is.
 *
 * @module
 */
import process from "node:process";
import type { StreamEvent } from "../../lib/chat/events.ts";
import { printable } from "../terminal/sanitize.ts";
import { colored, writeOutput } from "../terminal/output.ts";
import { MarkdownStream } from "../terminal/markdown/markdown_stream.ts";

/** How answers are shown. */
export interface ViewOptions {
  /** Whether Markdown is rendered. */
  markdown: boolean;
  /** Whether thinking is shown, on stderr. */
  thinking: boolean;
  /** Taken away before anything is shown. */
  waiting?: { clear(): void };
}

/** The columns of the terminal that answers are shown on; where there is none, no line is broken. */
function columns(): number {
  return process.stdout.isTTY ? process.stdout.columns || 80 : Infinity;
}

/** Shows one answer. */
export class AnswerView {
  readonly #markdown: MarkdownStream | undefined;
  readonly #showsThinking: boolean;
  readonly #waiting: ViewOptions["waiting"];
  readonly #isTerminal = process.stdout.isTTY === true;
  #inThinking = false;
  /** The end of what has been written. */
  #last = "\n";
  /** The first half of a character whose second half has not arrived. */
  #half = "";

  constructor(options: ViewOptions) {
    this.#markdown = options.markdown ? new MarkdownStream(columns) : undefined;
    this.#showsThinking = options.thinking;
    this.#waiting = options.waiting;
  }

  /** Shows what an event brings. */
  show(event: StreamEvent): void {
    if (event.type === "thinking") this.thinking(event.text);
    // A refusal is what the model says instead of an answer.
    else if (event.type === "text" || event.type === "refusal") this.text(event.text);
  }

  /** Shows a piece of the thinking. */
  thinking(received: string): void {
    const piece = this.#showsThinking ? this.#whole(received) : "";
    if (piece === "") return;
    this.#waiting?.clear();
    this.#inThinking = true;
    process.stderr.write(colored("dim", printable(piece)));
    this.#last = piece;
  }

  /** Shows a piece of the answer. */
  text(received: string): void {
    const piece = this.#whole(received);
    if (piece === "") return;
    this.#waiting?.clear();
    if (this.#inThinking) {
      process.stderr.write(this.#last.endsWith("\n") ? "\n" : "\n\n");
      this.#inThinking = false;
    }
    const shown = this.#isTerminal ? printable(piece) : piece;
    this.#write(this.#markdown === undefined ? shown : this.#markdown.write(shown));
  }

  /** The piece without a half character at its end, which would be lost in UTF-8. */
  #whole(piece: string): string {
    const text = this.#half + piece;
    const cut = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    this.#half = text.slice(cut);
    return text.slice(0, cut);
  }

  /** Ends the answer, and the line that it stands on. */
  end(): void {
    this.#waiting?.clear();
    if (this.#markdown !== undefined) this.#write(this.#markdown.end());
    if (this.#last.endsWith("\n")) return;
    if (this.#inThinking) process.stderr.write("\n");
    else writeOutput("\n");
  }

  #write(text: string): void {
    if (text === "") return;
    writeOutput(text);
    this.#last = text;
  }
}
