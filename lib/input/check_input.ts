/**
 * Checks a whole input before anything is sent, and finds the records that are pending.
 *
 * @module
 */
import type { Journal } from "../batch/journal/journal.ts";
import { inputIdentity } from "../batch/journal/result_line.ts";
import { InvalidInputError, JournalMismatchError } from "../errors.ts";
import { INPUT_HINT } from "./input_file.ts";
import type { InputFile } from "./input_source.ts";
import { PendingLines } from "./pending_lines.ts";
import { type LocatedRecord, type ReadOptions, readRecords } from "./records.ts";
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

/** Maximum invalid lines that a message lists. */
const SHOWN_PROBLEMS = 5;

function invalidLines(problems: readonly string[], count: number, input: InputFile) {
  const more = count - problems.length;
  const lines = more > 0 ? [...problems, `… and ${more} more`] : problems;
  const hint = input.isFiles
    ? "Nothing was sent. Fix or remove these files, or skip them with --skip-invalid."
    : "Nothing was sent. Fix the input, or skip bad lines with --skip-invalid.";
  return new InvalidInputError(lines.join("\n"), {
    hint: input.hint === undefined ? hint : `${hint}\n${input.hint}`,
  });
}

/** Whether a record is done; names the file if it differs from the one in the result file. */
function isDone(
  journal: Journal,
  record: LocatedRecord,
  { isFiles }: InputFile,
  rerunChanged: boolean | undefined,
): boolean {
  try {
    return journal.isDone(record.index, inputIdentity(record), rerunChanged);
  } catch (error) {
    if (!isFiles || !(error instanceof JournalMismatchError)) throw error;
    throw new JournalMismatchError(`${error.message} (${record.metadata?.file})`, error.index, {
      cause: error,
      hint:
        "The file or the prompt was changed, or a file before it was added or removed. New files " +
        `don't move the others if their paths sort last.\n${error.hint}`,
    });
  }
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
  journal: Journal | undefined,
  options: ReadOptions & { rerunChanged?: boolean },
): InputCheck {
  const { limit = Infinity, skipInvalid, rerunChanged } = options;
  const problems: string[] = [];
  const lines = new PendingLines();
  let [total, invalid] = [0, 0];
  const records = readRecords(input, options);
  let step = records.next();
  for (; !step.done && total < limit; step = records.next()) {
    const record = step.value;
    if ("problem" in record) {
      if (invalid++ < SHOWN_PROBLEMS) problems.push(record.problem);
      continue;
    }
    // The input will be refused: look for more invalid lines only.
    if (invalid > 0 && !skipInvalid) {
      total++;
      continue;
    }
    const { index, line: number, offset } = record;
    const done = journal !== undefined && isDone(journal, record, input, rerunChanged);
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
