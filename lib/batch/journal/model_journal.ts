/**
 * The results of one requested model in a journal that has those of several.
 *
 * @module
 */
import { JournalMismatchError } from "../../errors.ts";
import type { Journal } from "./journal.ts";
import type { RecordState } from "./record_index.ts";
import type { ResultRecord } from "./result_line.ts";

/** The part of a journal that a run of a batch with one model needs. */
export type RunJournal = Pick<
  Journal,
  "append" | "checkEnd" | "errors" | "isDone" | "isDoneWith" | "read" | "state" | "successes"
>;

/** The results of `model` in a journal. Marks the lines that it writes with the model. */
export class ModelJournal implements RunJournal {
  readonly #journal: Journal;
  readonly #model: string;

  /**
   * @param journal the journal, which the caller closes
   * @param model the name under which the model was requested
   */
  constructor(journal: Journal, model: string) {
    this.#journal = journal;
    this.#model = model;
  }

  /** Records that the model answered. */
  get successes(): number {
    return this.#journal.records(this.#model).successes;
  }

  /** Records at which the model has only failed so far. */
  get errors(): number {
    return this.#journal.records(this.#model).errors;
  }

  /** The state of the record `index`. */
  state(index: number): RecordState {
    return this.#journal.state(index, this.#model);
  }

  /**
   * Whether the model has answered the record `index`, see {@link Journal.isDone}.
   *
   * @throws {JournalMismatchError} if the record has changed, unless `rerunChanged`
   */
  isDone(index: number, input: unknown, rerunChanged = false): boolean {
    return this.#journal.isDone(index, input, rerunChanged, this.#model);
  }

  /** Whether the model has answered the record `index`, see {@link Journal.isDoneWith}. */
  isDoneWith(index: number, print: number): boolean {
    return this.#journal.isDoneWith(index, print, this.#model);
  }

  /**
   * Checks that the file has no record beyond the `total` of the input.
   *
   * @throws {JournalMismatchError} if it has one
   */
  checkEnd(total: number): void {
    this.#journal.checkEnd(total);
  }

  /**
   * Reads the model's result of the record `index`, which must be in the file.
   *
   * @throws {JournalError} if another program has changed its line
   */
  read(index: number): ResultRecord {
    return this.#journal.read(index, this.#model);
  }

  /**
   * Writes results of the model, see {@link Journal.appendLines}.
   *
   * @throws {JournalError} if they cannot be written
   */
  append(records: readonly ResultRecord[]): void {
    // The index comes first in every line; see compact.ts.
    this.#journal.append(
      records.map(({ index, ...rest }) => ({ index, requested_model: this.#model, ...rest })),
    );
  }
}

/** How a result file without requested models relates to a run that has several. */
export interface UnmarkedResults {
  /** Whether the file has results that name no requested model. */
  exist: boolean;
  /** The requested model that gave them; `undefined` if it cannot be determined. */
  model: string | undefined;
}

/** A date or version that servers append to the name of a model. */
const VERSION = /^[-@:](\d{4}-?\d{2}-?\d{2}|\d{3,8}|latest)$/;

/** Whether a server that was asked for the model `id` may report `reported`. */
function isReportOf(reported: string, id: string): boolean {
  const [a, b] = [reported.toLowerCase(), id.toLowerCase()]
    .map((name) => name.slice(name.lastIndexOf("/") + 1));
  return a === b || a.startsWith(b) && VERSION.test(a.slice(b.length)) ||
    b.startsWith(a) && VERSION.test(b.slice(a.length));
}

/**
 * Determines which of `models` gave the results that name no requested model: they are from a batch with a
 * single model, so all answers must be from the same one.
 */
export function unmarkedResults(
  journal: Pick<Journal, "records" | "existing">,
  models: readonly { name: string; model: string }[],
): UnmarkedResults {
  const { successes, errors } = journal.records(undefined);
  if (successes + errors === 0) return { exist: false, model: undefined };
  // Failures name no model. They are sent again to all models anyway.
  if (successes === 0) return { exist: true, model: models[0].name };
  const reported = [...journal.existing.models.keys()];
  const possible = models.filter(({ model }) =>
    reported.length > 0 && reported.every((name) => isReportOf(name, model))
  );
  return { exist: true, model: possible.length === 1 ? possible[0].name : undefined };
}

/** The error for a file whose results name no requested model, and whose model cannot be determined. */
export function unmarkedProblem(
  output: string,
  journal: Pick<Journal, "existing">,
): JournalMismatchError {
  const reported = [...journal.existing.models.keys()];
  if (reported.length > 1) {
    return new JournalMismatchError(
      `${output} has answers from ${reported.join(", ")} in results without "requested_model", ` +
        "so it is unclear which of the requested models gave them",
      0,
      {
        hint: "Choose another output file. Files of different models cannot be joined: a batch " +
          "with several -m writes results that name their model.",
      },
    );
  }
  const from = reported.length === 0 ? "" : ` (${reported[0]})`;
  return new JournalMismatchError(
    `${output} has the answers of a single model${from}, which is none of those requested`,
    0,
    { hint: "Request that model as well with -m, or choose another output file." },
  );
}
