/**
 * Loads something once, when it is first needed.
 *
 * @module
 */

/** Something that is loaded when it is first needed. */
export class Lazy<T> {
  readonly #load: () => Promise<T>;
  #loading: Promise<T> | undefined;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Returns what was loaded. All callers share one load; after a failed one, the next call loads again. */
  get(): Promise<T> {
    return this.#loading ??= this.#load().catch((error) => {
      this.#loading = undefined;
      throw error;
    });
  }
}
