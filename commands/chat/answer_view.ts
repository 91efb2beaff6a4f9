/**
 * Shows one answer as it arrives: on a terminal with its thinking dimmed, rendered and without control
 * characters, elsewhere as it is.
 *
 * @module
 */
import process from "node:process";
import { printable } from "../printable.ts";
import { colored, writeOutput } from "../terminal.ts";
import { MarkdownStream } from "./markdown_stream.ts";

/** How answers are shown. */
export interface ViewOptions {
  /** Whether Markdown is rendered. */
  markdown: boolean;
  /** Whether thinking is shown, on stderr. */
  thinking: boolean;
}

/** Shows one answer. */
export class AnswerView {
  readonly #markdown: MarkdownStream | undefined;
  readonly #showsThinking: boolean;
  readonly #isTerminal = process.stdout.isTTY === true;
  #inThinking = false;
  /** The end of what has been written. */
  #last = "\n";

  constructor(options: ViewOptions) {
    this.#markdown = options.markdown ? new MarkdownStream() : undefined;
    this.#showsThinking = options.thinking;
  }

  /** Shows a piece of the thinking. */
  thinking(piece: string): void {
    if (!this.#showsThinking || piece === "") return;
    this.#inThinking = true;
    process.stderr.write(colored("dim", printable(piece)));
    this.#last = piece;
  }

  /** Shows a piece of the answer. */
  text(piece: string): void {
    if (piece === "") return;
    if (this.#inThinking) {
      process.stderr.write(this.#last.endsWith("\n") ? "\n" : "\n\n");
      this.#inThinking = false;
    }
    const shown = this.#isTerminal ? printable(piece) : piece;
    this.#write(this.#markdown === undefined ? shown : this.#markdown.write(shown));
  }

  /** Ends the answer, and the line that it stands on. */
  end(): void {
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
