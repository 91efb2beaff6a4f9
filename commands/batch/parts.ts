/**
 * Splits a batch into parts, one for each model: the records that the model has not answered yet.
 *
 * @module
 */
import type { Journal } from "../../lib/batch/journal/journal.ts";
import type { RunJournal } from "../../lib/batch/journal/model_journal.ts";
import { checkInput, type InputCheck } from "../../lib/input/check_input.ts";
import type { BatchContext } from "./context.ts";
import { journalOf, namesModels } from "./journal.ts";
import type { PreparedModel } from "./settings.ts";

/** The part of a batch that is sent to one model. */
export interface BatchPart {
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
export function batchParts(
  { file, reading, flags, prepared: { models } }: BatchContext,
  journal: Journal | undefined,
): BatchPart[] {
  const severalModels = journal === undefined ? models.length > 1 : namesModels(models, journal);
  const options = { ...reading, rerunChanged: flags.rerunChanged, severalModels };
  return models.map((model) => {
    const own = journal && journalOf(journal, models, model.name);
    return { model, journal: own, check: checkInput(file, own, options) };
  });
}

/** The counts of all parts; invalid lines are the same for all. */
export function totalCheck(
  parts: readonly Pick<BatchPart, "check">[],
): Omit<InputCheck, "lines"> {
  const sum = (count: (check: InputCheck) => number) =>
    parts.reduce((total, { check }) => total + count(check), 0);
  return {
    total: sum(({ total }) => total),
    pending: sum(({ pending }) => pending),
    invalid: parts[0].check.invalid,
    answered: parts[0].check.answered,
  };
}
