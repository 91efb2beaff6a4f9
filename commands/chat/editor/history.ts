/**
 * The history of typed messages, saved between sessions in a file that only its owner can read.
 *
 * @module
 */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../../lib/files/replace_file.ts";
import { toEditable } from "./paste.ts";

/** The maximum number of entries. */
const MAX_ENTRIES = 1000;

/** Longer messages are not saved: recalling them with the arrow keys is useless. */
const MAX_LENGTH = 4000;

/** The message history of a user. */
export class History {
  /** The most recent entry first. */
  readonly entries: string[];
  readonly #home: string;
  readonly #file: string;

  /** @param home the folder of the user's files */
  constructor(home: string) {
    this.#home = home;
    this.#file = join(home, "history");
    let lines: string[] = [];
    try {
      lines = readFileSync(this.#file, "utf8").split("\n").filter((line) => line !== "");
    } catch {
      // A missing or unreadable history must not prevent a chat.
    }
    const recent = lines.slice(-MAX_ENTRIES);
    this.entries = [...new Set(recent.toReversed())];
    if (lines.length > 2 * MAX_ENTRIES) {
      this.#attempt(() => replaceFile(this.#file, `${recent.join("\n")}\n`, 0o600));
    }
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch {
      // A failed write loses history, but must not end the chat.
    }
  }

  /** Adds a message, unless it starts with whitespace or is too long. */
  add(message: string): void {
    const entry = toEditable(message);
    if (/^\s/.test(message) || entry === "" || entry.length > MAX_LENGTH) return;
    const index = this.entries.indexOf(entry);
    if (index === 0) return;
    if (index > 0) this.entries.splice(index, 1);
    this.entries.unshift(entry);
    this.entries.length = Math.min(this.entries.length, MAX_ENTRIES);
    this.#attempt(() => {
      mkdirSync(this.#home, { recursive: true, mode: 0o700 });
      appendFileSync(this.#file, `${entry}\n`, { mode: 0o600 });
    });
  }
}
