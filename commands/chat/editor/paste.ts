/**
 * Detects pasted text in terminal input, and represents it on the single line that is edited.
 *
 * Source: xterm control sequences, "Bracketed Paste Mode".
 *
 * @module
 */

/** A piece of terminal input. */
export interface TerminalInput {
  kind: "keys" | "paste";
  text: string;
}

/** Makes the terminal mark pasted text. */
export const PASTE_MODE_ON = "\x1b[?2004h";
/** Turns {@link PASTE_MODE_ON} off. */
export const PASTE_MODE_OFF = "\x1b[?2004l";

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** The length of the longest prefix of `marker` that `text` ends with. */
function partialLength(text: string, marker: string): number {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(marker.slice(0, length))) return length;
  }
  return 0;
}

/** Separates pasted text from keys, even if a marker is split between chunks. */
export class PasteSplitter {
  /** The start of what may be a marker. */
  #partialMarker = "";
  /** The paste that is being received. */
  #paste: string | undefined;

  /** Adds a chunk and returns the complete pieces. */
  push(chunk: string): TerminalInput[] {
    const pieces: TerminalInput[] = [];
    let remaining = this.#partialMarker + chunk;
    this.#partialMarker = "";
    while (remaining !== "") {
      const marker = this.#paste === undefined ? PASTE_START : PASTE_END;
      const at = remaining.indexOf(marker);
      const end = at < 0 ? remaining.length - partialLength(remaining, marker) : at;
      const text = remaining.slice(0, end);
      if (this.#paste !== undefined) this.#paste += text;
      else if (text !== "") pieces.push({ kind: "keys", text });
      if (at < 0) {
        this.#partialMarker = remaining.slice(end);
        break;
      }
      if (this.#paste === undefined) {
        this.#paste = "";
      } else {
        pieces.push({ kind: "paste", text: this.#paste.replace(/\r\n?/g, "\n") });
        this.#paste = undefined;
      }
      remaining = remaining.slice(at + marker.length);
    }
    return pieces;
  }

  /** Whether the last chunk ended with what may be the start of a marker, or the Escape key. */
  get isUndecided(): boolean {
    return this.#partialMarker !== "" && this.#paste === undefined;
  }

  /** Returns the keys that may have been the start of a marker. */
  flush(): TerminalInput[] {
    if (!this.isUndecided) return [];
    const text = this.#partialMarker;
    this.#partialMarker = "";
    return [{ kind: "keys", text }];
  }
}

const NEWLINE_SYMBOL = "⏎";
const TAB_SYMBOL = "⇥";

/** Larger pastes are replaced with a placeholder. */
const MAX_LINES = 20;
const MAX_CHARACTERS = 2000;

/** The text on one line, with symbols for newlines and tabs and without other control characters. */
export function toEditable(text: string): string {
  return text.replaceAll("\n", NEWLINE_SYMBOL).replaceAll("\t", TAB_SYMBOL)
    .replace(/\p{Cc}/gu, "");
}

/** Reverses {@link toEditable}. */
export function fromEditable(line: string): string {
  return line.replaceAll(NEWLINE_SYMBOL, "\n").replaceAll(TAB_SYMBOL, "\t");
}

/** The large pastes of a session, which the edited line shows as placeholders. */
export class Pastes {
  readonly #texts: string[] = [];

  /** The text to insert into the line for a paste. */
  shorten(text: string): string {
    const trimmed = text.replace(/\n$/, "");
    const lines = trimmed.split("\n").length;
    if (lines <= MAX_LINES && trimmed.length <= MAX_CHARACTERS) return toEditable(trimmed);
    this.#texts.push(trimmed);
    return `[paste ${this.#texts.length}: ${lines} ${lines === 1 ? "line" : "lines"}]`;
  }

  /** The message for an edited line, with placeholders replaced by the pasted text. */
  expand(line: string): string {
    return fromEditable(line).replace(
      /\[paste (\d+): \d+ lines?\]/g,
      (placeholder, number) => this.#texts[Number(number) - 1] ?? placeholder,
    );
  }
}
