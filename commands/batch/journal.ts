/**
 * Opens the result file of a batch, whose results name the requested model if there are several.
 *
 * @module
 */
import { Journal } from "../../lib/batch/journal/journal.ts";
import {
  ModelJournal,
  type RunJournal,
  unmarkedProblem,
  unmarkedResults,
} from "../../lib/batch/journal/model_journal.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import type { PreparedModel } from "./settings.ts";

type Models = readonly Pick<PreparedModel, "name" | "model">[];
type NamedModels = readonly { name: string; model: string }[];

/** Whether results name the requested model: this run has several, or earlier runs had. */
export function namesModels(models: Models, journal: Pick<Journal, "models">): boolean {
  return models.length > 1 || journal.models.length > 0;
}

function namedModels(models: Models, output: string): NamedModels {
  return models.map(({ name, model }) => {
    if (name !== undefined) return { name, model };
    throw new ConfigurationError(
      `${output} has results of several models, but the configured endpoints have no names`,
      { hint: "Name the models with -m, or choose another output file." },
    );
  });
}

/** The model whose results do not name it yet; `undefined` if all results name theirs. */
function unmarkedModel(journal: Journal, models: Models, output: string): string | undefined {
  if (!namesModels(models, journal)) return undefined;
  const { exist, model } = unmarkedResults(journal, namedModels(models, output));
  if (exist && model === undefined) throw unmarkedProblem(output, journal);
  return model;
}

/**
 * Opens and locks the result file `output` for `models`. If it has the results of one of them that do not name
 * it yet, adds the name to them.
 *
 * @throws {JournalError} if the file cannot be used
 * @throws {JournalMismatchError} if it has the results of a single other model
 */
export async function openJournal(output: string, models: Models): Promise<Journal> {
  const journal = await Journal.open(output);
  let model: string | undefined;
  try {
    model = unmarkedModel(journal, models, output);
    if (model !== undefined) journal.markModel(model);
  } catch (error) {
    journal.close();
    throw error;
  }
  if (model === undefined) return withModels(journal, models);
  journal.close();
  return withModels(await Journal.open(output), models);
}

/** Adds `models` to the journal in their order, in which the results of a record are sorted. */
function withModels(journal: Journal, models: Models): Journal {
  if (!namesModels(models, journal)) return journal;
  for (const { name } of models) if (name !== undefined) journal.addModel(name);
  return journal;
}

/**
 * Opens the result file `output` for reading; `undefined` if it does not exist.
 *
 * @throws {JournalError} as {@link openJournal} does
 */
export async function openJournalToRead(
  output: string,
  models: Models,
): Promise<Journal | undefined> {
  const journal = await Journal.openToRead(output);
  if (journal === undefined) return undefined;
  try {
    const model = unmarkedModel(journal, models, output);
    if (model !== undefined && !journal.models.includes(model)) journal.nameUnmarked(model);
    return journal;
  } catch (error) {
    journal.close();
    throw error;
  }
}

/** The results of one of the models in `journal`. */
export function journalOf(journal: Journal, models: Models, name: string | undefined): RunJournal {
  return namesModels(models, journal) ? new ModelJournal(journal, name!) : journal;
}
