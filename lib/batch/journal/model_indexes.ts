/**
 * Indexes the results of a journal by the model that was requested, since a batch can send every record to
 * several models.
 *
 * @module
 */
import { MemoryIndex } from "./memory_index.ts";
import type { RecordIndex } from "./record_index.ts";

/** The results of one requested model. */
interface ModelIndex {
  model: string | undefined;
  records: RecordIndex;
  /** Its position among the models. */
  position: number;
}

/** One index per requested model, and one for results that name none. */
export class ModelIndexes {
  readonly #byModel = new Map<string | undefined, ModelIndex>();
  /** The one that was used last: usually, the next result has the same model. */
  #last: ModelIndex | undefined;

  /** The index of the results of `model`; `undefined` for results that name no requested model. */
  of(model: string | undefined): RecordIndex {
    return this.#of(model).records;
  }

  #of(model: string | undefined): ModelIndex {
    const last = this.#last;
    if (last !== undefined && last.model === model) return last;
    let index = this.#byModel.get(model);
    if (index === undefined) {
      index = { model, records: new MemoryIndex(), position: this.#byModel.size };
      this.#byModel.set(model, index);
    }
    return this.#last = index;
  }

  /** All indexes, in the order in which their models first occurred: results of a record are sorted by it. */
  all(): RecordIndex[] {
    return Array.from(this.#byModel.values(), ({ records }) => records);
  }

  /** The position of `model` in {@link all}; -1 if it has no index. */
  positionOf(model: string | undefined): number {
    const last = this.#last;
    if (last !== undefined && last.model === model) return last.position;
    return this.#byModel.get(model)?.position ?? -1;
  }

  /** The requested models that results name. */
  get models(): string[] {
    return [...this.#byModel.values()].flatMap(({ model, records }) =>
      model === undefined || records.end === 0 ? [] : [model]
    );
  }

  /**
   * Treats the results that name no requested model as those of `model`, which has none yet. Only for a file
   * that is not written.
   */
  nameUnmarked(model: string): void {
    this.#byModel.set(model, { ...this.#of(undefined), model });
    this.#byModel.delete(undefined);
    this.#last = undefined;
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
    for (const { records } of this.#byModel.values()) total = combine(total, value(records));
    return total;
  }
}
