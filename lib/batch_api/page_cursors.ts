/**
 * Follows the cursors of a list that comes in pages, and notices lists without end.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";

/** Pages of one list: at 100 items each, 200,000. */
const MAX_PAGES = 2_000;
/** Pages without a single item in a row; filters can leave some empty. */
const MAX_EMPTY_PAGES = 100;

/** The cursors of one list. */
export class PageCursors {
  readonly #seen = new Set<string>();
  #empty = 0;

  /**
   * Returns the cursor of the next page; `undefined` after the last one. A cursor that comes again ends the list: a
   * server that does not know it sends the same page for ever.
   *
   * @param next the cursor in the page
   * @param items the number of items in the page
   * @throws {MalformedResponseError} if the list has no end
   */
  next(next: string | undefined, items: number): string | undefined {
    if (next === undefined || this.#seen.has(next)) return undefined;
    this.#seen.add(next);
    this.#empty = items > 0 ? 0 : this.#empty + 1;
    if (this.#seen.size < MAX_PAGES && this.#empty < MAX_EMPTY_PAGES) return next;
    throw new MalformedResponseError("the server's list has no end", { retryable: true });
  }
}
