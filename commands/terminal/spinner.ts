/**
 * Shows a line on stderr while waiting for the first token of an answer.
 *
 * @module
 */
import process from "node:process";
import { colored, divertNotes } from "./output.ts";

const TEXT = "waiting for the answer; press Ctrl-C to stop";

/** Milliseconds before the line is shown. */
const DELAY = 1000;

/** The waiting line of one answer. */
export class Spinner {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isShown = false;

  /** Schedules the line, if stderr is a terminal that is wide enough. */
  constructor() {
    const { isTTY, columns } = process.stderr;
    if (isTTY && columns > TEXT.length) this.#timer = setTimeout(() => this.#show(), DELAY);
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

  /** Removes the line, or cancels it before it is shown. */
  clear(): void {
    clearTimeout(this.#timer);
    if (!this.#isShown) return;
    this.#isShown = false;
    divertNotes(undefined);
    this.#erase();
  }
}
