/**
 * The lines that were typed, kept over sessions in a file that only its owner can read.
 *
 * @module
 */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../../lib/conversations/conversation_file.ts";
import { toEditable } from "./paste.ts";

/** How many entries are kept. */
const MAX_ENTRIES = 1000;

/** Longer messages are not kept: nobody looks for them line by line. */
const MAX_LENGTH = 4000;

/** The history of the chats of a user. */
export class History {
  /** The last entry first. */
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
      // There is none yet; and a chat works without.
    }
    const kept = lines.slice(-MAX_ENTRIES);
    this.entries = [...new Set(kept.toReversed())];
    if (lines.length > 2 * MAX_ENTRIES) {
      this.#try(() => replaceFile(this.#file, `${kept.join("\n")}\n`));
    }
  }

  #try(write: () => void): void {
    try {
      write();
    } catch {
      // A home that cannot be written to costs the history, not the chat.
    }
  }

  /** Keeps a message, unless it begins with a blank. */
  add(message: string): void {
    const entry = toEditable(message);
    if (/^\s/.test(message) || entry === "" || entry.length > MAX_LENGTH) return;
    const place = this.entries.indexOf(entry);
    if (place === 0) return;
    if (place > 0) this.entries.splice(place, 1);
    this.entries.unshift(entry);
    this.entries.length = Math.min(this.entries.length, MAX_ENTRIES);
    this.#try(() => {
      mkdirSync(this.#home, { recursive: true, mode: 0o700 });
      appendFileSync(this.#file, `${entry}\n`, { mode: 0o600 });
    });
  }
}
