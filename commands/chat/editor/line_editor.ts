/**
 * The line editor of a chat: reads lines with history, completion and pastes, and handles Ctrl-C while
 * an answer arrives. The terminal stays in raw mode between lines.
 *
 * @module
 */
import process from "node:process";
import * as readline from "node:readline";
import { PassThrough } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { PASTE_MODE_OFF, PASTE_MODE_ON, Pastes } from "./paste.ts";
import { CTRL_C, CTRL_Z, Typeahead } from "./typeahead.ts";

/** How reading a line ended. */
export type LineResult =
  | { type: "line"; text: string }
  /** Ctrl-C. `text` is the line that it cleared. */
  | { type: "interrupt"; text: string }
  /** Ctrl-D on an empty line, or the terminal was closed. */
  | { type: "end" };

/** How a line is read. */
export interface LineOptions {
  prompt: string;
  /** The most recent entry first. */
  history?: readonly string[];
  /** Completes a line. Returns the candidates, and the end of the line that they replace. */
  complete?: (line: string) => [string[], string];
  /**
   * Ignore what was typed before the prompt appeared, and leave it for the next line. For questions
   * the user could not have expected.
   */
  skipTypeahead?: boolean;
}

/** The line that is being read. */
interface ActiveLine {
  editor: readline.Interface;
  keys: PassThrough;
  finish: (result: LineResult) => void;
}

/** Reads lines from a terminal. */
export class LineEditor {
  /** Called for Ctrl-C while no line is being read. */
  onInterrupt: (() => void) | undefined;
  readonly #input: ReadStream;
  readonly #screen: WriteStream;
  readonly #typeahead = new Typeahead();
  readonly #pastes = new Pastes();
  #active: ActiveLine | undefined;
  #hasEnded = false;
  #isOpen = false;

  constructor(input: ReadStream, screen: WriteStream) {
    this.#input = input;
    this.#screen = screen;
  }

  /** Switches the terminal to raw mode. Only SIGKILL prevents it from being restored. */
  open(): void {
    this.#isOpen = true;
    process.on("exit", this.#restoreTerminal);
    process.on("SIGCONT", this.#onContinue);
    this.#input.on("data", this.#onData);
    this.#input.on("end", () => this.end());
    this.#input.on("error", () => this.end());
    this.#enterRawMode();
  }

  /** Restores the terminal. */
  close(): void {
    this.#restoreTerminal();
    this.#isOpen = false;
    process.off("exit", this.#restoreTerminal);
    process.off("SIGCONT", this.#onContinue);
    this.#input.off("data", this.#onData);
    this.#input.pause();
  }

  /** Ends the current read and all later ones. */
  end(): void {
    this.#hasEnded = true;
    this.#active?.finish({ type: "end" });
  }

  /** Acts like Ctrl-C. */
  interrupt(): void {
    if (this.#active === undefined) this.onInterrupt?.();
    else this.#active.finish({ type: "interrupt", text: this.#active.editor.line });
  }

  /** Reads a line. */
  read(
    { prompt, history = [], complete, skipTypeahead = false }: LineOptions,
  ): Promise<LineResult> {
    if (this.#hasEnded) return Promise.resolve({ type: "end" });
    const skipped = skipTypeahead ? this.#typeahead.drain() : [];
    return new Promise((resolve) => {
      const keys = new PassThrough();
      const editor = readline.createInterface({
        input: keys,
        output: this.#screen,
        terminal: true,
        prompt,
        history: [...history],
        historySize: 1000,
        completer: complete,
      });
      let isFinished = false;
      const finish = (result: LineResult) => {
        if (isFinished) return;
        isFinished = true;
        this.#active = undefined;
        this.#typeahead.restore(skipped);
        editor.close();
        if (result.type !== "line") this.#screen.write("\n");
        resolve(result);
      };
      editor.on("line", (text) => finish({ type: "line", text: this.#pastes.expand(text) }));
      editor.on("SIGINT", () => finish({ type: "interrupt", text: editor.line }));
      editor.on("close", () => finish({ type: "end" }));
      this.#active = { editor, keys, finish };
      editor.prompt();
      this.#feed();
    });
  }

  #onData = (chunk: Uint8Array | string): void => {
    this.#typeahead.push(chunk);
    if (this.#active !== undefined) return this.#feed();
    if (this.#typeahead.includes(CTRL_Z)) {
      this.#typeahead.drain();
      this.#suspend();
    } else if (this.#typeahead.includes(CTRL_C)) {
      // Whatever was typed during the aborted answer referred to it.
      this.#typeahead.drain();
      this.onInterrupt?.();
    }
  };

  /** Passes typed input to the active line until the line ends. */
  #feed(): void {
    while (this.#active !== undefined) {
      const piece = this.#typeahead.shift();
      if (piece === undefined) return;
      const { editor, keys } = this.#active;
      if (piece.kind === "paste") editor.write(this.#pastes.shorten(piece.text));
      else if (piece.text.endsWith(CTRL_Z)) this.#suspend();
      // Emitted synchronously, so that a paste that follows stays behind these keys.
      else keys.emit("data", piece.text);
    }
  }

  #enterRawMode(): void {
    this.#input.setRawMode(true);
    this.#screen.write(PASTE_MODE_ON);
    this.#input.resume();
  }

  #restoreTerminal = (): void => {
    if (!this.#isOpen) return;
    this.#screen.write(PASTE_MODE_OFF);
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal was closed.
    }
  };

  #suspend(): void {
    this.#restoreTerminal();
    process.kill(process.pid, "SIGTSTP");
  }

  #onContinue = (): void => {
    if (!this.#isOpen) return;
    this.#enterRawMode();
    this.#active?.editor.prompt(true);
  };
}
