/**
 * Checks a whole input before anything is sent, and finds the records that are pending.
 *
 * @module
 */
import type { RunJournal } from "../batch/journal/model_journal.ts";
import { inputIdentity } from "../batch/journal/result_line.ts";
import { InvalidInputError, JournalMismatchError } from "../errors.ts";
import type { BatchSource } from "./input_source.ts";
import { inputHint } from "./open_file.ts";
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
  /** Pending conversations that end with an answer, which servers continue instead of giving their own. */
  answered: number;
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

/** The error for `count` invalid lines, of which the first were `found`. */
function invalidLines(found: readonly InvalidLine[], count: number, input: BatchSource) {
  // All records of a file usually have the same unknown fields.
  const areEqual = found.every(({ reason, hint }) =>
    hint !== undefined && reason === found[0].reason
  );
  const shown = areEqual ? found.slice(0, 1) : found;
  const lines = shown.map(({ problem }) => problem);
  const more = count - shown.length;
  if (more > 0) lines.push(`… and ${more} more`);
  const hints = [found[0].hint, ...input.files.map(({ hint }) => hint)];
  const distinct = [...new Set(hints.filter((hint) => hint !== undefined))];
  return new InvalidInputError(lines.join("\n"), {
    hint: [
      input.isFiles
        ? "Nothing was sent. Fix or remove these files, or skip them with --skip-invalid."
        : "Nothing was sent. Fix the input, or skip bad lines with --skip-invalid.",
      ...distinct,
    ].join("\n"),
  });
}

/** Whether a record is done; names the file if it differs from the one in the result file. */
function isDone(
  journal: Pick<RunJournal, "isDone">,
  record: LocatedRecord,
  { isFiles }: BatchSource,
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

/** The line, or what is wrong with it if its record names its own model. */
function checked(
  record: LocatedRecord | InvalidLine,
  { files }: BatchSource,
  severalModels: boolean | undefined,
): LocatedRecord | InvalidLine {
  if ("problem" in record || !severalModels || record.options?.model === undefined) return record;
  return { problem: `${files[record.file].name}:${record.line}: ${OWN_MODEL}`, reason: OWN_MODEL };
}

/**
 * Reads the whole input. Every selected line must be valid, and its record must be the one that
 * `journal` has a result for.
 *
 * @throws {InvalidInputError} listing the first invalid lines, or if there is no record
 * @throws {JournalMismatchError} at the first record that differs, unless `rerunChanged`
 */
export function checkInput(
  input: BatchSource,
  journal: Pick<RunJournal, "checkEnd" | "isDone" | "isDoneWith" | "state"> | undefined,
  options: CheckOptions,
): InputCheck {
  const { limit = Infinity, skipInvalid, rerunChanged, severalModels } = options;
  const problems: InvalidLine[] = [];
  const lines = new PendingLines();
  let [total, invalid, answered] = [0, 0, 0];
  const isDoneWith = journal &&
    ((index: number, print: number) => journal.isDoneWith(index, print));
  const records = readRecords(input, options, isDoneWith);
  let step = records.next();
  for (; !step.done && total < limit; step = records.next()) {
    if ("done" in step.value) {
      const isRefused = invalid > 0 && !skipInvalid;
      if (isRefused || isSelected(step.value.index, options, journal)) total++;
      continue;
    }
    const record = checked(step.value, input, severalModels);
    if ("problem" in record) {
      if (invalid++ < SHOWN_PROBLEMS) problems.push(record);
      continue;
    }
    // The input will be refused: look for more invalid lines only.
    if (invalid > 0 && !skipInvalid) {
      total++;
      continue;
    }
    const { index, file, line: number, offset } = record;
    const done = journal !== undefined && isDone(journal, record, input, rerunChanged);
    if (!isSelected(index, options, journal)) continue;
    total++;
    if (done) continue;
    if (record.messages[record.messages.length - 1].role === "assistant") answered++;
    lines.add({ index, file, number, offset });
  }
  if (invalid > 0 && !skipInvalid) throw invalidLines(problems, invalid, input);
  if (step.done) {
    const isPart = options.shard !== undefined || options.retryFailed !== undefined;
    if (step.value === 0 || (total === 0 && !isPart)) {
      throw new InvalidInputError(`${input.name} contains no records`, {
        hint: inputHint(input.name),
      });
    }
    journal?.checkEnd(step.value);
  }
  return { total, pending: lines.length, invalid, answered, lines };
}
