/**
 * Counts the answers of an existing result file by model, and those without a parsed value.
 *
 * @module
 */
import type { ResultRecord } from "./result_line.ts";

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

  /** Counts a record, if it is an answer. */
  add({ status, model, requested_model, options, parsed, tool_calls }: ResultRecord): void {
    if (status !== "success") return;
    if (parsed === undefined && tool_calls === undefined) this.#unparsed++;
    if (typeof model !== "string" || requested_model !== undefined) return;
    if (options?.model !== undefined) return;
    this.#models.set(model, (this.#models.get(model) ?? 0) + 1);
  }
}
