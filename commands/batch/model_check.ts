/**
 * Warns when a result file has answers from other models than the current run.
 *
 * @module
 */
import { counted } from "../terminal/format.ts";
import { printable } from "../terminal/sanitize.ts";

/** What is compared. */
export interface ModelCheckOptions {
  /** The endpoints of this run. */
  targets: readonly { model: string }[];
  /** The models of this run, for the message. */
  model: string;
  /** Path of the result file, for the message. */
  output: string;
  /** The number of answers in the result file by model, as servers reported it. */
  existing: ReadonlyMap<string, number>;
}

/** Servers add or drop a date or the maker's name, so one name only has to contain the other. */
function isSameModel(a: string, b: string): boolean {
  const [first, second] = [a.toLowerCase(), b.toLowerCase()];
  return first.includes(second) || second.includes(first);
}

/** The answers that none of the `requested` models gave; `undefined` if there are none. */
export function otherModels(
  requested: readonly string[],
  existing: ReadonlyMap<string, number>,
): string | undefined {
  const others = [...existing].filter(([name]) =>
    !requested.some((other) => isSameModel(name, other))
  );
  if (others.length === 0) return undefined;
  const answers = others.reduce((sum, [, count]) => sum + count, 0);
  const names = others.slice(0, 3).map(([name]) => printable(name)).join(", ");
  return `${counted(answers, "answer")} from ${names}${others.length > 3 ? " and others" : ""}`;
}

/** Compares the models of a result file with those of a run and of its first answer. */
export class ModelCheck {
  readonly #existing: ReadonlyMap<string, number>;
  #warning: string | undefined;

  constructor({ targets, model, output, existing }: ModelCheckOptions) {
    this.#existing = existing;
    const others = otherModels(targets.map(({ model }) => model), existing);
    if (others === undefined) return;
    this.#warning = `${output} has ${others}; this run uses ${model}. ` +
      "To get all answers from it, choose a new output file.";
  }

  /** The warning, unless the first answer has settled it. */
  get warning(): string | undefined {
    return this.#warning;
  }

  /**
   * Takes the model that an answer reports. At the first answer, warns unless the result file has
   * answers of the same name: servers may use names that have nothing in common with the requested ones.
   */
  answered(model: string, warn: (warning: string) => void): void {
    if (this.#warning === undefined) return;
    if (!this.#existing.has(model)) warn(this.#warning);
    this.#warning = undefined;
  }
}
