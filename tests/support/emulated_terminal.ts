/** An emulated terminal: what a user sees after writes and resizes. */
// The package.json names a module that does not exist, so import the file.
// @ts-types="@xterm/headless"
import { Terminal } from "@xterm/headless/lib-headless/xterm-headless.mjs";
import type { TerminalStream } from "../../commands/terminal/live_area.ts";

export interface EmulatorOptions {
  columns: number;
  rows: number;
  /** Whether a resize rewraps lines (default) or truncates them. */
  reflow?: boolean;
}

export class EmulatedTerminal implements TerminalStream, Disposable {
  readonly #terminal: Terminal;
  /** The size that programs see. */
  columns: number;
  rows: number;
  /** All writes, in order. */
  readonly writes: string[] = [];

  constructor({ columns, rows, reflow = true }: EmulatorOptions) {
    this.columns = columns;
    this.rows = rows;
    this.#terminal = new Terminal({
      cols: columns,
      rows,
      // Without scrollback, xterm does not rewrap lines.
      scrollback: reflow ? 1000 : 0,
      // As a terminal driver does with the output of programs.
      convertEol: true,
      allowProposedApi: true,
    });
  }

  write(text: string): void {
    this.writes.push(text);
    this.#terminal.write(text);
  }

  /** Resizes the terminal. Programs see the new size after {@link tell}. */
  async resizeSilently(columns: number, rows: number): Promise<void> {
    await this.#settled();
    this.#terminal.resize(columns, rows);
  }

  /** Makes programs see the current size. */
  tell(): void {
    this.columns = this.#terminal.cols;
    this.rows = this.#terminal.rows;
  }

  async resize(columns: number, rows = this.rows): Promise<void> {
    await this.resizeSilently(columns, rows);
    this.tell();
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => this.#terminal.write("", resolve));
  }

  /** The rows of the scrollback and the screen, without trailing spaces. */
  async allRows(): Promise<string[]> {
    await this.#settled();
    const buffer = this.#terminal.buffer.active;
    const rows = Array.from(
      { length: buffer.length },
      (_, i) => buffer.getLine(i)!.translateToString(true).trimEnd(),
    );
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }

  /** The same, with wrapped lines joined. */
  async lines(): Promise<string[]> {
    await this.#settled();
    const buffer = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let i = 0; i < buffer.length; i++) {
      const row = buffer.getLine(i)!;
      const goesOn = i + 1 < buffer.length && buffer.getLine(i + 1)!.isWrapped;
      const text = row.translateToString(!goesOn);
      if (row.isWrapped && lines.length > 0) lines.push(lines.pop() + text);
      else lines.push(text);
    }
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  /** The row and column of the cursor on the screen, counted from 0. */
  async cursor(): Promise<[row: number, column: number]> {
    await this.#settled();
    const { cursorY, cursorX } = this.#terminal.buffer.active;
    return [cursorY, cursorX];
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }
}
