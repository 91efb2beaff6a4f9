/**
 * A line that says that an answer is waited for, when it takes a while to begin. It goes away without a
 * trace.
 *
 * @module
 */
import process from "node:process";
import { colored, divertNotes } from "./output.ts";

const TEXT = "waiting for the answer; Ctrl-C stops it";

/** Milliseconds without an answer before something is said. */
const PATIENCE = 1000;

/** The sign of one answer, on stderr. */
export class Spinner {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isShown = false;

  /** Shows it in a while, unless it is cleared before; nowhere but on a terminal with room for it. */
  constructor() {
    const { isTTY, columns } = process.stderr;
    if (isTTY && columns > TEXT.length) this.#timer = setTimeout(() => this.#show(), PATIENCE);
  }

  #show(): void {
    this.#isShown = true;
    process.stderr.write(colored("dim", TEXT));
    divertNotes((line) => {
      this.#erase();
      process.stderr.write(`${line}\n`);
      this.#show();
    });
  }

  #erase(): void {
    process.stderr.write("\r\x1b[K");
  }

  /** Takes it away for good. */
  clear(): void {
    clearTimeout(this.#timer);
    if (!this.#isShown) return;
    this.#isShown = false;
    divertNotes(undefined);
    this.#erase();
  }
}
