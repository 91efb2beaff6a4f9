/**
 * Prints an answer as it arrives: rendered on a terminal, unchanged in a pipe, with thinking on stderr.
 *
 * @module
 */
import process from "node:process";
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import type { StreamEvent } from "../../lib/chat/events.ts";
import { printable } from "../terminal/sanitize.ts";
import { colored, errorStream, writeOutput, writeRendered } from "../terminal/output.ts";
import type { MarkdownStream } from "../terminal/markdown/markdown_stream.ts";
import type { Spinner } from "../terminal/spinner.ts";

/** How answers are shown. */
export interface AnswerViewOptions {
  /** Render Markdown. */
  markdown: boolean;
  /** Show thinking, on stderr. */
  thinking: boolean;
  /** Cleared before the first output. */
  spinner?: Spinner;
}

/** The flags that decide how answers are shown. */
export interface AnswerFlags {
  raw?: true;
  showThinking?: boolean;
}

/** How answers are shown with `flags`: rendered and with thinking only on a terminal. */
export function answerOptions({ raw, showThinking }: AnswerFlags): AnswerViewOptions {
  const isTerminal = process.stdout.isTTY === true;
  return {
    markdown: isTerminal && raw !== true,
    thinking: showThinking ?? (isTerminal && process.stderr.isTTY === true),
  };
}

/** A table with fewer rows arrives too fast to announce it. */
const MIN_ROWS = 2;
/** The SGR parameter of dimmed text. */
const DIM = "2";

/** Loads the renderer, which pipes don't need. */
async function renderer(stream: WriteStream, style?: string): Promise<MarkdownStream> {
  const { terminalMarkdown } = await import("../terminal/markdown/terminal_markdown.ts");
  return await terminalMarkdown(stream, style);
}

/** Shows one answer. Calls must not overlap: await each before the next. */
export class AnswerView {
  readonly #options: AnswerViewOptions;
  readonly #markdown: Promise<MarkdownStream> | undefined;
  #thinking: MarkdownStream | undefined;
  readonly #isTerminal = process.stdout.isTTY === true;
  #inThinking = false;
  #lastWritten = "\n";
  /** A high surrogate whose other half has not arrived. */
  #pendingSurrogate = "";

  constructor(options: AnswerViewOptions) {
    this.#options = options;
    // Loads while the answer is awaited.
    this.#markdown = options.markdown ? renderer(process.stdout) : undefined;
  }

  /** Shows the text or thinking of a stream event. */
  async show(event: StreamEvent): Promise<void> {
    if (event.type === "thinking") await this.showThinking(event.text);
    // A refusal takes the place of the answer.
    else if (event.type === "text" || event.type === "refusal") await this.showText(event.text);
  }

  /** Shows a piece of the thinking. */
  async showThinking(received: string): Promise<void> {
    const { thinking, markdown, spinner } = this.#options;
    if (!thinking) {
      // In the middle of a line, the spinner would erase it.
      if (received !== "" && this.#lastWritten.endsWith("\n")) spinner?.say("thinking");
      return;
    }
    const piece = printable(this.#wholeCharacters(received));
    if (piece === "") return;
    const isRendered = markdown && process.stderr.isTTY === true;
    if (isRendered) this.#thinking ??= await renderer(process.stderr, DIM);
    spinner?.clear();
    // Thinking can interrupt the answer.
    if (!this.#inThinking && this.#isTerminal && !this.#lastWritten.endsWith("\n")) {
      errorStream().write("\n");
    }
    this.#inThinking = true;
    this.#writeThinking(await this.#thinking?.write(piece) ?? colored("dim", piece));
  }

  #writeThinking(text: string): void {
    if (text === "") return;
    errorStream().write(text);
    this.#lastWritten = text.includes("\n") ? stripVTControlCharacters(text) : text;
  }

  async #endThinking(end: string): Promise<void> {
    this.#writeThinking(await this.#thinking?.end() ?? "");
    errorStream().write(`${this.#lastWritten.endsWith("\n") ? "" : "\n"}${end}`);
    this.#thinking = undefined;
    this.#inThinking = false;
    this.#lastWritten = "\n";
  }

  /** Shows a piece of the answer. */
  async showText(received: string): Promise<void> {
    const piece = this.#wholeCharacters(received);
    if (piece === "") return;
    if (this.#inThinking) await this.#endThinking("\n");
    if (this.#markdown === undefined) {
      return this.#write(this.#isTerminal ? printable(piece) : piece);
    }
    const markdown = await this.#markdown;
    this.#writeRendered(await markdown.write(printable(piece)));
    if (markdown.bufferedRows >= MIN_ROWS) {
      this.#options.spinner?.say(`receiving a table, ${markdown.bufferedRows} rows`);
    }
  }

  /** Holds back half a surrogate pair at the end of a piece, since UTF-8 cannot encode it. */
  #wholeCharacters(piece: string): string {
    const text = this.#pendingSurrogate + piece;
    const end = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    this.#pendingSurrogate = text.slice(end);
    return text.slice(0, end);
  }

  /** Ends the answer with a newline. */
  async end(): Promise<void> {
    this.#options.spinner?.clear();
    if (this.#inThinking) await this.#endThinking("");
    if (this.#markdown !== undefined) this.#writeRendered(await (await this.#markdown).end());
    if (!this.#lastWritten.endsWith("\n")) writeOutput("\n");
  }

  #write(text: string): void {
    this.#options.spinner?.clear();
    writeOutput(text);
    this.#lastWritten = text;
  }

  #writeRendered(text: string): void {
    if (text === "") return;
    this.#options.spinner?.clear();
    writeRendered(text);
    this.#lastWritten = text;
  }
}
