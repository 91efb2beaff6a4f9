/**
 * Checks a whole input before anything is sent, and finds the records that are pending.
 *
 * @module
 */
import type { RunJournal } from "../batch/journal/model_journal.ts";
import { inputIdentity } from "../batch/journal/result_line.ts";
import { InvalidInputError } from "../errors.ts";
import { INPUT_HINT } from "./input_file.ts";
import type { InputFile } from "./input_source.ts";
import { PendingLines } from "./pending_lines.ts";
import { type InvalidLine, type LocatedRecord, type ReadOptions, readRecords } from "./records.ts";
import { isSelected } from "./selection.ts";

/** The result of checking an input. */
export interface InputCheck {
  /** Valid records among the selected ones. */
  total: number;
  /** Of these, the records that are not done yet. */
  pending: number;
  /** Invalid lines, which are skipped. */
  invalid: number;
  /** The lines of the pending records. */
  lines: PendingLines;
}

/** How an input is checked. */
export interface CheckOptions extends ReadOptions {
  /** Redo records whose input differs from the journal's. @default false */
  rerunChanged?: boolean;
  /** Whether each record is sent to several models, so that it cannot name its own. @default false */
  severalModels?: boolean;
}

const OWN_MODEL =
  "model: a record cannot name its own model if several are requested; ignore it with --as-metadata model";

/** Maximum invalid lines that a message lists. */
const SHOWN_PROBLEMS = 5;

function invalidLines(problems: readonly string[], count: number, input: InputFile) {
  const more = count - problems.length;
  const lines = more > 0 ? [...problems, `… and ${more} more`] : problems;
  const hint = "Nothing was sent. Fix the input, or skip bad lines with --skip-invalid.";
  return new InvalidInputError(lines.join("\n"), {
    hint: input.hint === undefined ? hint : `${hint}\n${input.hint}`,
  });
}

function problemOf(
  record: LocatedRecord | InvalidLine,
  { name }: InputFile,
  severalModels = false,
): string | undefined {
  if ("problem" in record) return record.problem;
  if (!severalModels || record.options?.model === undefined) return undefined;
  return `${name}:${record.line}: ${OWN_MODEL}`;
}

/**
 * Reads the whole input. Every selected line must be valid, and its record must be the one that
 * `journal` has a result for.
 *
 * @throws {InvalidInputError} listing the first invalid lines, or if there is no record
 * @throws {JournalMismatchError} at the first record that differs, unless `rerunChanged`
 */
export function checkInput(
  input: InputFile,
  journal: Pick<RunJournal, "checkEnd" | "isDone" | "state"> | undefined,
  options: CheckOptions,
): InputCheck {
  const { limit = Infinity, skipInvalid, rerunChanged, severalModels } = options;
  const problems: string[] = [];
  const lines = new PendingLines();
  let [total, invalid] = [0, 0];
  const records = readRecords(input, options);
  let step = records.next();
  for (; !step.done && total < limit; step = records.next()) {
    const record = step.value;
    const problem = problemOf(record, input, severalModels);
    if ("problem" in record || problem !== undefined) {
      if (invalid++ < SHOWN_PROBLEMS) problems.push(problem!);
      continue;
    }
    // The input will be refused: look for more invalid lines only.
    if (invalid > 0 && !skipInvalid) {
      total++;
      continue;
    }
    const { index, line: number, offset } = record;
    const done = journal?.isDone(index, inputIdentity(record), rerunChanged);
    if (!isSelected(index, options, journal)) continue;
    total++;
    if (!done) lines.add({ index, number, offset });
  }
  if (invalid > 0 && !skipInvalid) throw invalidLines(problems, invalid, input);
  if (step.done) {
    const isPart = options.shard !== undefined || options.retryFailed !== undefined;
    if (step.value === 0 || (total === 0 && !isPart)) {
      throw new InvalidInputError(`${input.name} contains no records`, { hint: INPUT_HINT });
    }
    journal?.checkEnd(step.value);
  }
  return { total, pending: lines.length, invalid, lines };
}
