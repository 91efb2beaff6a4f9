/**
 * Counts the answers of an existing result file by model, and those without a parsed value.
 *
 * @module
 */
import type { ExistingLine } from "./existing_line.ts";

/** The number of answers of one model. */
interface ModelCount {
  model: string;
  count: number;
}

/** Statistics of the answers in a result file. */
export class JournalStats {
  readonly #models = new Map<string, ModelCount>();
  /** That of the last answer: usually, the next one has the same model. */
  #last: ModelCount | undefined;
  #unparsed = 0;

  /**
   * The number of answers per model, by the name the server reported. Records that name their own model
   * are not counted, nor are answers that name the requested model.
   */
  get models(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#models.values(), ({ model, count }) => [model, count]));
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
    if (this.#last?.model !== model) this.#last = this.#countOf(model);
    this.#last.count++;
  }

  #countOf(model: string): ModelCount {
    let count = this.#models.get(model);
    if (count === undefined) this.#models.set(model, count = { model, count: 0 });
    return count;
  }
}
