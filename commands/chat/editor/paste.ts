/**
 * Pasted text: finding it in what a terminal sends, and bringing it into a line that is edited.
 *
 * Source: xterm control sequences, "Bracketed Paste Mode".
 *
 * @module
 */

/** A piece of what the terminal sends. */
export interface Typed {
  kind: "keys" | "paste";
  text: string;
}

/** Asks the terminal to mark what is pasted. */
export const PASTE_MODE_ON = "\x1b[?2004h";
/** Ends that. */
export const PASTE_MODE_OFF = "\x1b[?2004l";

const BEGIN = "\x1b[200~";
const END = "\x1b[201~";

/** The length of the longest end of `text` with which `marker` may begin; Escape alone is no key here. */
function partialLength(text: string, marker: string): number {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(marker.slice(0, length))) return length;
  }
  return 0;
}

/** Tells pastes from keys, wherever the pieces are cut. */
export class PasteSplitter {
  #held = "";
  #pasted: string | undefined;

  /** Takes in what has arrived. */
  push(text: string): Typed[] {
    const typed: Typed[] = [];
    let rest = this.#held + text;
    this.#held = "";
    while (rest !== "") {
      const marker = this.#pasted === undefined ? BEGIN : END;
      const at = rest.indexOf(marker);
      const end = at < 0 ? rest.length - partialLength(rest, marker) : at;
      const piece = rest.slice(0, end);
      if (this.#pasted !== undefined) this.#pasted += piece;
      else if (piece !== "") typed.push({ kind: "keys", text: piece });
      if (at < 0) {
        this.#held = rest.slice(end);
        break;
      }
      if (this.#pasted === undefined) {
        this.#pasted = "";
      } else {
        typed.push({ kind: "paste", text: this.#pasted.replace(/\r\n?/g, "\n") });
        this.#pasted = undefined;
      }
      rest = rest.slice(at + marker.length);
    }
    return typed;
  }
}

const LINE_SIGN = "⏎";
const TAB_SIGN = "⇥";

/** A larger paste is shown by its size. */
const MAX_LINES = 20;
const MAX_CHARACTERS = 2000;

/** Text as it stands in the line that is edited: signs for newlines and tabs. */
export function toEditable(text: string): string {
  return text.replaceAll("\n", LINE_SIGN).replaceAll("\t", TAB_SIGN).replace(/\p{Cc}/gu, "");
}

/** The text that was meant. */
export function fromEditable(line: string): string {
  return line.replaceAll(LINE_SIGN, "\n").replaceAll(TAB_SIGN, "\t");
}

/** The pastes of a session that are too large to stand in a line. */
export class Pastes {
  readonly #texts: string[] = [];

  /** What to put into the line for a paste. */
  shorten(text: string): string {
    const bare = text.replace(/\n$/, "");
    const lines = bare.split("\n").length;
    if (lines <= MAX_LINES && bare.length <= MAX_CHARACTERS) return toEditable(bare);
    this.#texts.push(bare);
    return `[paste ${this.#texts.length}: ${lines} ${lines === 1 ? "line" : "lines"}]`;
  }

  /** The message that a line stands for. */
  expand(line: string): string {
    return fromEditable(line).replace(
      /\[paste (\d+): \d+ lines?\]/g,
      (sign, number) => this.#texts[Number(number) - 1] ?? sign,
    );
  }
}
