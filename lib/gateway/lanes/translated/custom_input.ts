/**
 * Takes the text of a custom tool's input out of the JSON in which other models have to write it.
 *
 * @module
 */
import { asObject, tryParse } from "../../../json/json.ts";

/** The beginning of `{"input": "…"}`. */
const START = /^\s*\{\s*"input"\s*:\s*"/;

/** How long a text may be that might still become {@link START}. */
const MAX_START = 64;

/** As much of a JSON string as is complete: no half of an escape. */
const COMPLETE = /^(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*/;

/** The first half of a character, as itself or as an escape. */
const HIGH_SURROGATE = /(?:\\u[dD][89abAB][0-9a-fA-F]{2}|[\ud800-\udbff])$/;

/**
 * The text in the arguments `{"input": "…"}` of a function that replaces a custom tool. Anything else is the
 * text itself: models make mistakes, and the client's tool has to report them.
 */
export function customInputOf(json: string): string {
  const { input } = asObject(tryParse(json)) ?? {};
  return typeof input === "string" ? input : json;
}

/** Reads arguments that arrive in pieces. */
export class CustomInputReader {
  /** What has arrived and is not decoded yet. */
  #rest = "";
  #state: "start" | "text" | "unknown" | "end" = "start";

  /** Returns the part of the text that `piece` completes. */
  push(piece: string): string {
    if (this.#state === "end") return "";
    this.#rest += piece;
    if (this.#state === "start") {
      const start = START.exec(this.#rest);
      if (start !== null) {
        this.#state = "text";
        this.#rest = this.#rest.slice(start[0].length);
      } else if (this.#rest.length > MAX_START) this.#state = "unknown";
    }
    return this.#state === "text" ? this.#take() : "";
  }

  /** Ends the arguments. Returns the rest of the text. */
  end(): string {
    const isUnknown = this.#state === "start" || this.#state === "unknown";
    this.#state = "end";
    return isUnknown ? customInputOf(this.#rest) : "";
  }

  #take(): string {
    let [complete] = COMPLETE.exec(this.#rest)!;
    if (this.#rest[complete.length] === '"') {
      this.#state = "end";
    } else {
      complete = complete.replace(HIGH_SURROGATE, "");
    }
    this.#rest = this.#rest.slice(complete.length);
    const text = tryParse(`"${escapeControls(complete)}"`);
    return typeof text === "string" ? text : complete;
  }
}

/** Models write line breaks and tabs into JSON strings, which JSON does not allow. */
function escapeControls(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f]/g, (control) => JSON.stringify(control).slice(1, -1));
}
