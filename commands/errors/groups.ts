/**
 * Groups errors by kind, with the first message of each.
 *
 * @module
 */
import { FlexLLMError, HttpError } from "../../lib/errors.ts";
import { printableLine } from "../terminal/sanitize.ts";
import { inTermsOfFields } from "./option_names.ts";

/** The errors of one kind. */
export interface ErrorKind {
  /** The error code, with the HTTP status if there is one: `http 500`, `timeout`. */
  name: string;
  /** The number of errors. */
  count: number;
  /** The location and message of the first one. */
  first: string;
}

function nameOf(error: unknown): string {
  if (error instanceof HttpError) return `${error.code} ${error.status}`;
  return error instanceof FlexLLMError ? error.code : "unexpected";
}

/** The message of a failed record in one line, with the names that options have in files. */
export function recordMessage(error: unknown): string {
  const message = oneLineMessage(error);
  return error instanceof HttpError ? message : inTermsOfFields(message);
}

/** The message of an error in one line. Servers control parts of it, so control characters are removed. */
export function oneLineMessage(error: unknown): string {
  return printableLine(error instanceof Error ? error.message : String(error));
}

/** Counts errors by kind. */
export class ErrorKinds {
  readonly #kinds = new Map<string, ErrorKind>();

  /** Counts an error, with its location if it has one. Returns the kind if it is the first of it. */
  count(error: unknown, location?: string): ErrorKind | undefined {
    const name = nameOf(error);
    const known = this.#kinds.get(name);
    if (known !== undefined) {
      known.count++;
      return undefined;
    }
    const message = recordMessage(error);
    const first = location === undefined ? message : `${location}: ${message}`;
    const kind = { name, count: 1, first };
    this.#kinds.set(name, kind);
    return kind;
  }

  /** All kinds, the most frequent first. */
  list(): ErrorKind[] {
    return [...this.#kinds.values()].toSorted((a, b) => b.count - a.count);
  }
}
