/**
 * What the answers of a result file are like, as it is found: who gave them, and in which form.
 *
 * @module
 */
import type { ResultRecord } from "./result_line.ts";

/** The sums over the records of a file. */
export class JournalStats {
  readonly #models = new Map<string, number>();
  #unparsed = 0;

  /**
   * The models that gave the answers, by the names that servers told, and how many each. Those of
   * records that name their own model are left out.
   */
  get models(): ReadonlyMap<string, number> {
    return this.#models;
  }

  /** How many answers have no parsed value, calls of tools left out. */
  get unparsed(): number {
    return this.#unparsed;
  }

  /** Takes a record in. */
  add({ status, model, options, parsed, tool_calls }: ResultRecord): void {
    if (status !== "success") return;
    if (parsed === undefined && tool_calls === undefined) this.#unparsed++;
    if (typeof model !== "string" || options?.model !== undefined) return;
    this.#models.set(model, (this.#models.get(model) ?? 0) + 1);
  }
}
