/**
 * What the answers of a result file are like, as it is found: what they have cost, and who gave them.
 *
 * @module
 */
import type { ResultRecord } from "./record.ts";

/** The sums over the records of a file. */
export class FoundAnswers {
  readonly #models = new Map<string, number>();
  #cost = 0;
  #unparsed = 0;

  /** USD that the records have cost, failed ones included, as far as it is known. */
  get cost(): number {
    return this.#cost;
  }

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
  add({ status, cost, model, options, parsed, tool_calls }: ResultRecord): void {
    if (typeof cost === "number") this.#cost += cost;
    if (status !== "success") return;
    if (parsed === undefined && tool_calls === undefined) this.#unparsed++;
    if (typeof model !== "string" || options?.model !== undefined) return;
    this.#models.set(model, (this.#models.get(model) ?? 0) + 1);
  }
}
