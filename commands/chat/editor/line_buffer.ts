/**
 * The line that is being edited, with its history. `readline` edits it, so the keys are those of other
 * programs, but draws nothing.
 *
 * @module
 */
import * as readline from "node:readline";
import { PassThrough, Writable } from "node:stream";
import type { Key } from "./key_reader.ts";
import { nextCharacter, previousCharacter } from "./input_layout.ts";

/** What ends a line. */
export interface LineEvents {
  /** Enter. */
  onLine(text: string): void;
  /** Ctrl-C. */
  onInterrupt(): void;
  /** Ctrl-D on an empty line. */
  onEnd(): void;
}

/** A line and the cursor in it. */
export class LineBuffer {
  readonly #editor: readline.Interface;

  /** @param history the most recent entry first */
  constructor(history: readonly string[], { onLine, onInterrupt, onEnd }: LineEvents) {
    this.#editor = readline.createInterface({
      input: new PassThrough(),
      output: new Writable({ write: (_chunk, _encoding, done) => done() }),
      terminal: true,
      prompt: "",
      history: [...history],
      historySize: 1000,
    });
    this.#editor.on("line", onLine);
    this.#editor.on("SIGINT", onInterrupt);
    this.#editor.on("close", onEnd);
  }

  /** The text of the line. */
  get text(): string {
    return this.#editor.line;
  }

  /** The index in {@link text} of the character at the cursor. */
  get cursor(): number {
    return this.#editor.cursor;
  }

  /** Inserts text at the cursor. */
  insert(text: string): void {
    if (text !== "") this.#editor.write(text);
  }

  /** Replaces the line and moves the cursor to its end. */
  replace(text: string): void {
    this.#repeat({ name: "e", ctrl: true }, 1);
    this.#repeat({ name: "u", ctrl: true }, 1);
    this.insert(text);
  }

  /** Applies a key. */
  press(text: string | undefined, key: Key): void {
    const { cursor, text: line } = this;
    // `readline` moves and deletes by code points, but an emoji can consist of several.
    const isPlain = !key.ctrl && !key.meta && !key.shift;
    if (isPlain && (key.name === "left" || key.name === "backspace") && cursor > 0) {
      return this.#repeat(key, codePoints(line.slice(previousCharacter(line, cursor), cursor)));
    }
    if (isPlain && (key.name === "right" || key.name === "delete") && cursor < line.length) {
      return this.#repeat(key, codePoints(line.slice(cursor, nextCharacter(line, cursor))));
    }
    this.#editor.write(text as string, key);
  }

  /** Ends the editing. */
  close(): void {
    this.#editor.close();
  }

  #repeat(key: Key, times: number): void {
    for (let i = 0; i < times; i++) this.#editor.write(null as unknown as string, key);
  }
}

function codePoints(text: string): number {
  return [...text].length;
}
