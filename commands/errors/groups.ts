/**
 * Counts errors by their kind, and keeps what the first of each said.
 *
 * @module
 */
import { FlexLLMError, HttpError } from "../../lib/errors.ts";
import { printableLine } from "../terminal/sanitize.ts";

/** Errors of one kind. */
export interface ErrorKind {
  /** The code, with the HTTP status where there is one: `http 500`, `timeout`. */
  name: string;
  /** How many there were. */
  count: number;
  /** Where the first one was, and its whole message. */
  first: string;
}

function nameOf(error: unknown): string {
  if (error instanceof HttpError) return `${error.code} ${error.status}`;
  return error instanceof FlexLLMError ? error.code : "unexpected";
}

/** What an error says, in one line; a server's words must not steer the terminal. */
export function oneLineMessage(error: unknown): string {
  return printableLine(error instanceof Error ? error.message : String(error));
}

/** The kinds of the errors so far. */
export class ErrorKinds {
  readonly #kinds = new Map<string, ErrorKind>();

  /** Counts an error of `place` (empty when it has none); gives its kind when it is a new one. */
  count(error: unknown, place = ""): ErrorKind | undefined {
    const name = nameOf(error);
    const known = this.#kinds.get(name);
    if (known !== undefined) {
      known.count++;
      return undefined;
    }
    const message = oneLineMessage(error);
    const kind = { name, count: 1, first: place === "" ? message : `${place}: ${message}` };
    this.#kinds.set(name, kind);
    return kind;
  }

  /** All kinds, the most frequent first. */
  list(): ErrorKind[] {
    return [...this.#kinds.values()].toSorted((a, b) => b.count - a.count);
  }
}
