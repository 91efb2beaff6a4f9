/**
 * The keyboard of a chat: lines with editing, history, completion and pastes; Ctrl-C while nothing is
 * read. The terminal is in raw mode from the first line to `close`.
 *
 * @module
 */
import process from "node:process";
import * as readline from "node:readline";
import { PassThrough } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { ReadStream, WriteStream } from "node:tty";
import { PASTE_MODE_OFF, PASTE_MODE_ON, Pastes, PasteSplitter, type Typed } from "./paste.ts";

/** What reading a line gave. */
export type Read =
  | { type: "line"; text: string }
  /** Ctrl-C; with text when it cleared a line. */
  | { type: "interrupt"; text: string }
  /** Ctrl-D on an empty line, or the terminal has gone. */
  | { type: "end" };

/** How a line is read. */
export interface ReadOptions {
  prompt: string;
  /** The last entry first. */
  history?: readonly string[];
  /** What can stand in the place of the end of the line, and that end. */
  complete?: (line: string) => [string[], string];
  /** Whether what was typed before is no answer to it, and waits for the next line. */
  unexpected?: boolean;
}

interface Reading {
  line: readline.Interface;
  keys: PassThrough;
  finish: (read: Read) => void;
}

const CTRL_C = "\x03";
const CTRL_Z = "\x1a";
/** Keys that end a line, and with it the reading: what comes after them is kept for the next. */
const ENDS = ["\r", "\n", CTRL_C, "\x04", CTRL_Z];

/** Splits keys behind the first that ends a line, or a Tab: one amid other keys completes nothing. */
function splitKeys(text: string): [string, string] {
  const places = [...ENDS, "\t"].map((key) => text.indexOf(key)).filter((place) => place >= 0);
  if (places.length === 0) return [text, ""];
  const end = Math.min(...places) + 1;
  return [text.slice(0, end), text.slice(end)];
}

/** Reads a terminal. */
export class Keyboard {
  /** Called at Ctrl-C while no line is read. */
  onInterrupt: (() => void) | undefined;
  readonly #input: ReadStream;
  readonly #screen: WriteStream;
  readonly #decoder = new StringDecoder("utf8");
  readonly #splitter = new PasteSplitter();
  readonly #pastes = new Pastes();
  #queue: Typed[] = [];
  #reading: Reading | undefined;
  #ended = false;
  #isOpen = false;

  constructor(input: ReadStream, screen: WriteStream) {
    this.#input = input;
    this.#screen = screen;
  }

  /** Takes the terminal; it is given back however the process ends, but by SIGKILL. */
  open(): void {
    this.#isOpen = true;
    process.on("exit", this.#restore);
    process.on("SIGCONT", this.#resume);
    this.#input.on("data", this.#onData);
    this.#input.on("end", () => this.end());
    this.#input.on("error", () => this.end());
    this.#take();
  }

  /** Gives the terminal back. */
  close(): void {
    this.#restore();
    this.#isOpen = false;
    process.off("exit", this.#restore);
    process.off("SIGCONT", this.#resume);
    this.#input.off("data", this.#onData);
    this.#input.pause();
  }

  /** Ends the reading now and all that follows. */
  end(): void {
    this.#ended = true;
    this.#reading?.finish({ type: "end" });
  }

  /** Does what Ctrl-C does. */
  interrupt(): void {
    if (this.#reading === undefined) this.onInterrupt?.();
    else this.#reading.finish({ type: "interrupt", text: this.#reading.line.line });
  }

  /** Reads a line. */
  read({ prompt, history = [], complete, unexpected = false }: ReadOptions): Promise<Read> {
    if (this.#ended) return Promise.resolve({ type: "end" });
    const typedBefore = unexpected ? this.#queue.splice(0) : [];
    return new Promise((resolve) => {
      const keys = new PassThrough();
      const line = readline.createInterface({
        input: keys,
        output: this.#screen,
        terminal: true,
        prompt,
        history: [...history],
        historySize: 1000,
        completer: complete,
      });
      let isFinished = false;
      const finish = (read: Read) => {
        if (isFinished) return;
        isFinished = true;
        this.#reading = undefined;
        this.#queue.unshift(...typedBefore);
        line.close();
        if (read.type !== "line") this.#screen.write("\n");
        resolve(read);
      };
      line.on("line", (text) => finish({ type: "line", text: this.#pastes.expand(text) }));
      line.on("SIGINT", () => finish({ type: "interrupt", text: line.line }));
      line.on("close", () => finish({ type: "end" }));
      this.#reading = { line, keys, finish };
      line.prompt();
      this.#feed();
    });
  }

  #onData = (chunk: Uint8Array | string): void => {
    const text = typeof chunk === "string" ? chunk : this.#decoder.write(chunk);
    this.#queue.push(...this.#splitter.push(text));
    if (this.#reading !== undefined) return this.#feed();
    const typed = (key: string) =>
      this.#queue.some(({ kind, text }) => kind === "keys" && text.includes(key));
    if (typed(CTRL_Z)) {
      this.#queue = [];
      this.#suspend();
    } else if (typed(CTRL_C)) {
      // What was typed ahead was meant for the answer that is cut now.
      this.#queue = [];
      this.onInterrupt?.();
    }
  };

  /** Gives what was typed to the line that is read, up to the end of that line. */
  #feed(): void {
    while (this.#reading !== undefined && this.#queue.length > 0) {
      const { line, keys } = this.#reading;
      const { kind, text } = this.#queue.shift()!;
      if (kind === "paste") {
        line.write(this.#pastes.shorten(text));
        continue;
      }
      const [now, later] = splitKeys(text);
      if (later !== "") this.#queue.unshift({ kind, text: later });
      if (now.endsWith(CTRL_Z)) this.#suspend();
      // At once, not when the stream sees fit: a paste that follows must come after it.
      else keys.emit("data", now);
    }
  }

  #take(): void {
    this.#input.setRawMode(true);
    this.#screen.write(PASTE_MODE_ON);
    this.#input.resume();
  }

  #restore = (): void => {
    if (!this.#isOpen) return;
    this.#screen.write(PASTE_MODE_OFF);
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal has gone.
    }
  };

  #suspend(): void {
    this.#restore();
    process.kill(process.pid, "SIGTSTP");
  }

  #resume = (): void => {
    if (!this.#isOpen) return;
    this.#take();
    this.#reading?.line.prompt(true);
  };
}
