/**
 * Counts the answers of an existing result file by model, and those without a parsed value.
 *
 * @module
 */
import type { ExistingLine } from "./existing_line.ts";

/** Statistics of the answers in a result file. */
export class JournalStats {
  readonly #models = new Map<string, number>();
  #unparsed = 0;

  /**
   * The number of answers per model, by the name the server reported. Records that name their own model
   * are not counted, nor are answers that name the requested model.
   */
  get models(): ReadonlyMap<string, number> {
    return this.#models;
  }

  /** The number of answers without a parsed value, excluding tool calls. */
  get unparsed(): number {
    return this.#unparsed;
  }

  /** Counts the record of a line, if it is an answer. */
  add({ status, model, requested_model, hasOwnModel, isParsed, hasToolCalls }: ExistingLine): void {
    if (status !== "success") return;
    if (!isParsed && !hasToolCalls) this.#unparsed++;
    if (model === undefined || requested_model !== undefined || hasOwnModel) return;
    this.#models.set(model, (this.#models.get(model) ?? 0) + 1);
  }
}
