/**
 * Stores the index of a journal in memory, in pages.
 *
 * @module
 */
import { IndexPage, PAGE } from "./index_page.ts";
import type { LineEntry, LineLocation, RecordIndex, RecordState } from "./record_index.ts";

/** A {@link RecordIndex} in typed arrays. */
export class MemoryIndex implements RecordIndex {
  readonly #pages: (IndexPage | undefined)[] = [];
  #end = 0;
  #successes = 0;
  #errors = 0;
  #spent = 0;

  get end(): number {
    return this.#end;
  }

  get successes(): number {
    return this.#successes;
  }

  get errors(): number {
    return this.#errors;
  }

  get spent(): number {
    return this.#spent;
  }

  state(index: number): RecordState {
    return this.#pages[Math.floor(index / PAGE)]?.state(index % PAGE) ?? "none";
  }

  fingerprint(index: number): number {
    return this.#page(index).fingerprint(index % PAGE);
  }

  setFingerprint(index: number, fingerprint: number): void {
    this.#page(index).setFingerprint(index % PAGE, fingerprint);
  }

  location(index: number): LineLocation {
    return this.#page(index).location(index % PAGE);
  }

  set(index: number, entry: LineEntry): void {
    const before = this.state(index);
    if (before === "success" && entry.state === "error") return;
    this.#count(before, -1);
    this.#count(entry.state, 1);
    this.#page(index).set(index % PAGE, entry);
    this.#end = Math.max(this.#end, index + 1);
  }

  forget(index: number): void {
    this.#count(this.state(index), -1);
    this.#page(index).forget(index % PAGE);
  }

  spentOn(index: number): number {
    return this.#pages[Math.floor(index / PAGE)]?.spent(index % PAGE) ?? 0;
  }

  spend(index: number, cost: number, before = this.spentOn(index)): void {
    if (cost + before === 0) return;
    this.#spent += before + cost - this.spentOn(index);
    this.#page(index).setSpent(index % PAGE, before + cost);
  }

  #page(index: number): IndexPage {
    return this.#pages[Math.floor(index / PAGE)] ??= new IndexPage();
  }

  #count(state: RecordState, change: number): void {
    if (state === "success") this.#successes += change;
    else if (state === "error") this.#errors += change;
  }
}
