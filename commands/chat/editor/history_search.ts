/**
 * Searches the history incrementally, as Ctrl-R does in a shell.
 *
 * @module
 */

/** A search in progress. */
export class HistorySearch {
  readonly #entries: readonly string[];
  #query = "";
  /** The index of the entry that was found; -1 before the first. */
  #index = -1;
  #hasFailed = false;

  /** @param entries the most recent entry first */
  constructor(entries: readonly string[]) {
    this.#entries = entries;
  }

  /** The text that is searched for. */
  get query(): string {
    return this.#query;
  }

  /** Whether the last step found nothing; the entry found before remains. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** The entry that was found. */
  get found(): string | undefined {
    return this.#entries[this.#index];
  }

  /** The index in {@link found} at which the query matches. */
  get position(): number {
    return this.found === undefined ? 0 : Math.max(0, this.#indexIn(this.found));
  }

  /** Changes the query. The entry that was found stays if it matches; otherwise an older one is found. */
  search(query: string): void {
    const isLonger = query.startsWith(this.#query);
    this.#query = query;
    // A shorter query starts again from the most recent entry.
    this.#step(isLonger ? Math.max(0, this.#index) : 0, 1);
  }

  /** Finds the next older entry that matches. */
  older(): void {
    this.#step(this.#index + 1, 1);
  }

  /** Finds the next newer entry that matches. */
  newer(): void {
    this.#step(this.#index - 1, -1);
  }

  /** Only a query with upper-case letters is case-sensitive. */
  #indexIn(entry: string): number {
    const query = this.#query;
    return query === query.toLowerCase()
      ? entry.toLowerCase().indexOf(query)
      : entry.indexOf(query);
  }

  #step(start: number, direction: 1 | -1): void {
    if (this.#query === "") {
      this.#index = -1;
      this.#hasFailed = false;
      return;
    }
    for (let i = start; i >= 0 && i < this.#entries.length; i += direction) {
      if (this.#indexIn(this.#entries[i]) < 0) continue;
      this.#index = i;
      this.#hasFailed = false;
      return;
    }
    this.#hasFailed = true;
  }
}
