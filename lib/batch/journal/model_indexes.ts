/**
 * Indexes the results of a journal by the model that was requested, since a batch can send every record to
 * several models.
 *
 * @module
 */
import { MemoryIndex } from "./memory_index.ts";
import type { RecordIndex } from "./record_index.ts";

/** One index per requested model, and one for results that name none. */
export class ModelIndexes {
  readonly #byModel = new Map<string | undefined, RecordIndex>();
  readonly #positions = new Map<string | undefined, number>();

  /** The index of the results of `model`; `undefined` for results that name no requested model. */
  of(model: string | undefined): RecordIndex {
    const known = this.#byModel.get(model);
    if (known !== undefined) return known;
    const created = new MemoryIndex();
    this.#positions.set(model, this.#byModel.size);
    this.#byModel.set(model, created);
    return created;
  }

  /** All indexes, in the order in which their models first occurred: results of a record are sorted by it. */
  all(): RecordIndex[] {
    return [...this.#byModel.values()];
  }

  /** The position of `model` in {@link all}; -1 if it has no index. */
  positionOf(model: string | undefined): number {
    return this.#positions.get(model) ?? -1;
  }

  /** The requested models that results name. */
  get models(): string[] {
    return [...this.#byModel].flatMap(([name, { end }]) =>
      name === undefined || end === 0 ? [] : [name]
    );
  }

  /**
   * Treats the results that name no requested model as those of `model`, which has none yet. Only for a file
   * that is not written.
   */
  nameUnmarked(model: string): void {
    this.#byModel.set(model, this.of(undefined));
    this.#byModel.delete(undefined);
  }

  /** One more than the highest index of a record. */
  get end(): number {
    return this.#sum(({ end }) => end, Math.max);
  }

  /** Records that were answered, counted once per model. */
  get successes(): number {
    return this.#sum(({ successes }) => successes);
  }

  /** Records that have only failed so far, counted once per model. */
  get errors(): number {
    return this.#sum(({ errors }) => errors);
  }

  /** USD that all results cost, including answers that were replaced. */
  get spent(): number {
    return this.#sum(({ spent }) => spent);
  }

  #sum(
    value: (index: RecordIndex) => number,
    combine = (a: number, b: number) => a + b,
  ): number {
    let total = 0;
    for (const index of this.#byModel.values()) total = combine(total, value(index));
    return total;
  }
}
