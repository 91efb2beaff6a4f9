/**
 * Keeps the items with the largest keys.
 *
 * @module
 */

/** The `size` items with the largest keys; among equal keys, the first ones. */
export class TopList<T> {
  readonly #size: number;
  /** Ordered by key, the largest first. */
  readonly #items: { key: number; item: T }[] = [];

  /** @param size maximum items */
  constructor(size: number) {
    this.#size = size;
  }

  /** Adds an item, which is only created if it is kept. */
  add(key: number, create: () => T): void {
    const items = this.#items;
    if (items.length === this.#size && (this.#size === 0 || !(key > items[items.length - 1].key))) {
      return;
    }
    let at = items.length;
    while (at > 0 && items[at - 1].key < key) at--;
    items.splice(at, 0, { key, item: create() });
    if (items.length > this.#size) items.pop();
  }

  /** The items, those with the largest keys first. */
  list(): T[] {
    return this.#items.map(({ item }) => item);
  }
}
