/**
 * Splits a batch by model: the records that each has not answered yet.
 *
 * @module
 */
import type { Journal } from "../../lib/batch/journal/journal.ts";
import type { RunJournal } from "../../lib/batch/journal/model_journal.ts";
import { checkInput, type InputCheck } from "../../lib/input/check_input.ts";
import type { BatchContext } from "./context.ts";
import { journalOf, namesModels } from "./journal.ts";
import type { PreparedModel } from "./settings.ts";

/** The share of a batch that goes to one model. */
export interface ModelBatch {
  model: PreparedModel;
  /** The model's results; `undefined` for an estimate without a result file. */
  journal: RunJournal | undefined;
  check: InputCheck;
}

/**
 * Checks the input for each model of a batch.
 *
 * @throws {InvalidInputError} if the input is invalid
 * @throws {JournalMismatchError} if a record differs from the one in the result file
 */
export function modelBatches(
  { file, reading, flags, prepared: { models } }: BatchContext,
  journal: Journal | undefined,
): ModelBatch[] {
  const severalModels = journal === undefined ? models.length > 1 : namesModels(models, journal);
  const options = { ...reading, rerunChanged: flags.rerunChanged, severalModels };
  return models.map((model) => {
    const own = journal && journalOf(journal, models, model.name);
    return { model, journal: own, check: checkInput(file, own, options) };
  });
}

/** The counts of all models; invalid lines are the same for all. */
export function totalCheck(
  batches: readonly Pick<ModelBatch, "check">[],
): Omit<InputCheck, "lines"> {
  const sum = (count: (check: InputCheck) => number) =>
    batches.reduce((total, { check }) => total + count(check), 0);
  return {
    total: sum(({ total }) => total),
    pending: sum(({ pending }) => pending),
    invalid: batches[0].check.invalid,
    answered: batches[0].check.answered,
  };
}
