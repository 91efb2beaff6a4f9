/**
 * The line editor of a chat: reads lines with history, search, completion and pastes, and handles Ctrl-C
 * while an answer arrives. The terminal stays in raw mode between lines.
 *
 * @module
 */
import process from "node:process";
import type { ReadStream, WriteStream } from "node:tty";
import { applyCompletion, type Complete } from "./apply_completion.ts";
import { HistorySearch } from "./history_search.ts";
import { InputArea, reflowOf } from "./input_area.ts";
import { ESCAPE_TIMEOUT, type Key, KeyReader } from "./key_reader.ts";
import { LineBuffer } from "./line_buffer.ts";
import { PASTE_MODE_OFF, PASTE_MODE_ON, Pastes } from "./paste.ts";
import { searchInput, searchKey } from "./search_keys.ts";
import { suspendProcess } from "./suspend.ts";
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
  /** May contain styles. */
  prompt: string;
  /** The most recent entry first. */
  history?: readonly string[];
  /** Completes the line up to the cursor. */
  complete?: Complete;
  /**
   * Ignore what was typed before the prompt appeared, and leave it for the next line. For questions
   * the user could not have expected.
   */
  skipTypeahead?: boolean;
}

/** The line that is being read. */
interface ActiveLine {
  options: LineOptions;
  buffer: LineBuffer;
  keys: KeyReader;
  search?: HistorySearch;
  finish: (result: LineResult) => void;
}

/** Reads lines from a terminal. */
export class LineEditor {
  /** Called for Ctrl-C while no line is being read. */
  onInterrupt: (() => void) | undefined;
  readonly #input: ReadStream;
  readonly #screen: WriteStream;
  readonly #area: InputArea;
  readonly #typeahead = new Typeahead();
  readonly #pastes = new Pastes();
  #active: ActiveLine | undefined;
  #escapeTimer: ReturnType<typeof setTimeout> | undefined;
  #isFeeding = false;
  #hasEnded = false;
  #isOpen = false;

  constructor(input: ReadStream, screen: WriteStream) {
    this.#input = input;
    this.#screen = screen;
    this.#area = new InputArea(screen, reflowOf(process.env));
  }

  /** Switches the terminal to raw mode. Only SIGKILL prevents it from being restored. */
  open(): void {
    process.on("exit", this.#restoreTerminal);
    process.on("SIGCONT", this.#onContinue);
    this.#screen.on("resize", this.#onResize);
    this.#input.on("end", this.#onInputEnd);
    this.#input.on("error", this.#onInputEnd);
    this.#acquire();
  }

  /** Restores the terminal. */
  close(): void {
    this.#release();
    process.off("exit", this.#restoreTerminal);
    process.off("SIGCONT", this.#onContinue);
    this.#screen.off("resize", this.#onResize);
    this.#input.off("end", this.#onInputEnd);
    this.#input.off("error", this.#onInputEnd);
  }

  /** Gives the terminal to another program while `run` runs. No line may be active. */
  async lend<T>(run: () => Promise<T>): Promise<T> {
    this.#release();
    try {
      return await run();
    } finally {
      this.#acquire();
    }
  }

  /** Ends the current read and all later ones. */
  end(): void {
    this.#hasEnded = true;
    this.#active?.finish({ type: "end" });
  }

  /** Acts like Ctrl-C. */
  interrupt(): void {
    if (this.#active === undefined) this.onInterrupt?.();
    else this.#active.finish({ type: "interrupt", text: this.#active.buffer.text });
  }

  /** Reads a line. */
  read(options: LineOptions): Promise<LineResult> {
    if (this.#hasEnded) return Promise.resolve({ type: "end" });
    const skipped = options.skipTypeahead ? this.#typeahead.drain() : [];
    return new Promise((resolve) => {
      let isFinished = false;
      const finish = (result: LineResult) => {
        if (isFinished) return;
        isFinished = true;
        const line = result.type === "end" ? buffer.text : result.text;
        this.#active = undefined;
        this.#typeahead.restore(skipped);
        this.#area.finish({ prompt: options.prompt, line, cursor: line.length });
        buffer.close();
        resolve(result.type === "line" ? { ...result, text: this.#pastes.expand(line) } : result);
      };
      const buffer = new LineBuffer(options.history ?? [], {
        onLine: (text) => finish({ type: "line", text }),
        onInterrupt: () => finish({ type: "interrupt", text: buffer.text }),
        onEnd: () => finish({ type: "end" }),
      });
      const keys = new KeyReader((text, key) => this.#press(text, key));
      this.#active = { options, buffer, keys, finish };
      void this.#feed();
    });
  }

  #onData = (chunk: Uint8Array | string): void => {
    this.#typeahead.push(chunk);
    clearTimeout(this.#escapeTimer);
    if (this.#typeahead.isUndecided) {
      this.#escapeTimer = setTimeout(() => {
        this.#typeahead.decide();
        void this.#feed();
      }, ESCAPE_TIMEOUT);
    }
    if (this.#active !== undefined) return void this.#feed();
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
  async #feed(): Promise<void> {
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    try {
      while (this.#active !== undefined) {
        const piece = this.#typeahead.shift();
        if (piece === undefined) break;
        if (piece.kind === "paste") this.#insert(this.#pastes.shorten(piece.text));
        else await this.#type(piece.text);
      }
    } finally {
      this.#isFeeding = false;
    }
    this.#draw();
  }

  /** Applies keys, the last of which may be one that `readline` does not handle. */
  async #type(text: string): Promise<void> {
    const { keys, options, buffer } = this.#active!;
    const last = text.at(-1);
    const typed = last === "\t" || last === CTRL_Z ? text.slice(0, -1) : text;
    // Escape sequences contain printable characters.
    if (typed.includes("\x1b")) keys.push(typed);
    else {
      for (const run of typed.match(/\p{Cc}|\P{Cc}+/gu) ?? []) {
        // Inserted as a whole, because a paste that the terminal does not mark can be long.
        if (run.length > 1) this.#insert(run);
        else keys.push(run);
      }
    }
    if (last === CTRL_Z) this.#suspend();
    if (last !== "\t") return;
    this.#acceptSearch();
    if (options.complete === undefined) return;
    this.#draw();
    const shown = await applyCompletion(buffer, options.complete, this.#screen.columns || 80);
    if (shown !== undefined && this.#active?.buffer === buffer) this.#area.above(shown);
  }

  #insert(text: string): void {
    if (this.#active === undefined) return;
    const { buffer, search } = this.#active;
    if (search === undefined) buffer.insert(text);
    else search.search(search.query + text);
  }

  /** Handles one key. */
  #press(text: string | undefined, key: Key): void {
    const active = this.#active;
    if (active === undefined) return;
    if (key.ctrl && key.name === "l") this.#area.clearScreen();
    else if (active.search !== undefined) {
      const outcome = searchKey(active.search, text, key);
      if (outcome === "cancel") active.search = undefined;
      else if (outcome !== "continue") {
        this.#acceptSearch();
        if (outcome === "accept and apply") active.buffer.press(text, key);
      }
    } else if (key.ctrl && key.name === "r") {
      active.search = new HistorySearch(active.options.history ?? []);
    } else active.buffer.press(text, key);
    // A lone Escape arrives after a delay, when nothing else draws.
    if (!this.#isFeeding) this.#draw();
  }

  /** Ends a search and edits the entry that it found. */
  #acceptSearch(): void {
    const active = this.#active;
    if (active?.search === undefined) return;
    const { found } = active.search;
    active.search = undefined;
    if (found !== undefined) active.buffer.replace(found);
  }

  #draw(): void {
    if (this.#active === undefined) return;
    const { options: { prompt }, buffer, search } = this.#active;
    this.#area.draw(
      search === undefined
        ? { prompt, line: buffer.text, cursor: buffer.cursor }
        : searchInput(search),
    );
  }

  /** Takes control of the terminal. */
  #acquire(): void {
    this.#isOpen = true;
    this.#input.on("data", this.#onData);
    this.#enterRawMode();
  }

  #release(): void {
    this.#restoreTerminal();
    this.#isOpen = false;
    clearTimeout(this.#escapeTimer);
    this.#input.off("data", this.#onData);
    this.#input.pause();
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

  #onInputEnd = (): void => this.end();

  #onResize = (): void => {
    if (this.#active !== undefined) this.#area.resized();
  };

  #suspend(): void {
    this.#area.erase();
    this.#restoreTerminal();
    suspendProcess();
  }

  #onContinue = (): void => {
    if (!this.#isOpen) return;
    this.#enterRawMode();
    this.#draw();
  };
}
