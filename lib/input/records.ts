/**
 * Reads the records of a JSONL input.
 *
 * @module
 */
import type { IndexedRecord } from "../batch/executor.ts";
import type { Journal } from "../batch/journal/journal.ts";
import { inputIdentity } from "../batch/journal/result_line.ts";
import { InvalidInputError } from "../errors.ts";
import { readLinesSync } from "../files/lines.ts";
import { isTooDeep, MAX_DEPTH, parseExact } from "../json/json.ts";
import { jsonProblem } from "../json/problem.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import { type Conversion, RecordConverter } from "./formats.ts";
import { INPUT_HINT } from "./input_file.ts";
import type { InputFile } from "./input_source.ts";
import { isSelected, type Selection } from "./selection.ts";

/** A line that cannot be used. */
export interface InvalidLine {
  /** File, line and, where it is known, column, then what is wrong. */
  problem: string;
}

/** How an input is read. */
export interface ReadOptions extends Conversion, Selection {
  /** Leave out lines that cannot be used instead of stopping at them. */
  skipInvalid?: boolean;
}

/** What a first look at the whole input tells. */
export interface InputCheck {
  /** Usable records among those that are meant. */
  total: number;
  /** Of these, those that are not done yet. */
  pending: number;
  /** Lines that cannot be used and are left out. */
  invalid: number;
}

const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep`;

/** How many bad lines are named before the rest is only counted. */
const SHOWN_PROBLEMS = 5;

function readLine(
  text: string,
  place: string,
  converter: RecordConverter,
  isTable: boolean,
): { record: Omit<IndexedRecord, "index"> } | InvalidLine {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (error) {
    if (error instanceof RangeError) return { problem: `${place}: ${TOO_DEEP}` };
    const { column, reason } = jsonProblem(text);
    return { problem: `${place}:${column}: not valid JSON (${reason})` };
  }
  // Shorter texts cannot be nested that deeply.
  if (text.length > MAX_DEPTH * 2 && isTooDeep(value)) return { problem: `${place}: ${TOO_DEEP}` };
  // A row of a table that is no record.
  if (isTable && typeof value === "string") return { problem: `${place}: ${value}` };
  const converted = converter.convert(value);
  return "problem" in converted ? { problem: `${place}: ${converted.problem}` } : converted;
}

/**
 * Yields the records of `input` in order, and the lines that are none; of a shard only its own. The
 * index counts all lines that are not blank, so that mending a bad line does not move the others.
 * Returns how many there are.
 */
export function* readRecords(
  input: InputFile,
  options: ReadOptions,
): Generator<IndexedRecord | InvalidLine, number, void> {
  const { shard } = options;
  const isTable = input.columns !== undefined;
  const converter = new RecordConverter({ ...options, isTable });
  let index = 0;
  for (const line of readLinesSync(input.read ?? input.fd)) {
    // A byte order mark begins each of several files that were joined.
    const text = line.text.charCodeAt(0) === 0xfeff ? line.text.slice(1) : line.text;
    if (text.trim() === "") continue;
    if (shard !== undefined && index % shard.count !== shard.index) {
      index++;
      continue;
    }
    const place = `${input.name}:${line.number}`;
    const read = line.valid
      ? readLine(text, place, converter, isTable)
      : { problem: `${place}: ${NOT_UTF8}` };
    yield "record" in read ? { index, line: line.number, ...read.record } : read;
    index++;
  }
  return index;
}

/**
 * The usable records of `input` that are meant, for a run. `journal` tells which have failed, where
 * that decides.
 */
export function* usableRecords(
  input: InputFile,
  options: ReadOptions,
  journal?: Journal,
): Generator<IndexedRecord, void, void> {
  const { limit = Infinity } = options;
  let count = 0;
  for (const record of readRecords(input, options)) {
    if (!("index" in record) || !isSelected(record.index, options, journal)) continue;
    yield record;
    if (++count >= limit) return;
  }
}

/** Of the usable records that are meant, those that are not done. */
export function* pendingRecords(
  input: InputFile,
  options: ReadOptions,
  journal: Journal | undefined,
): Generator<IndexedRecord, void, void> {
  for (const record of usableRecords(input, options, journal)) {
    if (!journal?.isDone(record.index, inputIdentity(record), true)) yield record;
  }
}

/**
 * Reads the whole input before anything is sent: every line that is meant must be usable, and must be
 * the one that `journal` has a result for.
 *
 * @throws {InvalidInputError} naming the first bad lines, or saying that there is none at all
 * @throws {JournalMismatchError} at the first record that differs
 */
export function checkInput(
  input: InputFile,
  journal: Journal | undefined,
  options: ReadOptions & { rerunChanged?: boolean },
): InputCheck {
  const { limit = Infinity, skipInvalid, rerunChanged } = options;
  const problems: string[] = [];
  let [total, pending, invalid] = [0, 0, 0];
  const records = readRecords(input, options);
  let step = records.next();
  for (; !step.done && total < limit; step = records.next()) {
    const record = step.value;
    if ("problem" in record) {
      if (invalid++ < SHOWN_PROBLEMS) problems.push(record.problem);
      continue;
    }
    // After a bad line the run will not begin: all bad lines are told, whatever the journal says.
    if (invalid > 0 && !skipInvalid) {
      total++;
      continue;
    }
    const done = journal?.isDone(record.index, inputIdentity(record), rerunChanged);
    if (!isSelected(record.index, options, journal)) continue;
    total++;
    if (!done) pending++;
  }
  if (invalid > 0 && !skipInvalid) {
    const more = invalid - problems.length;
    if (more > 0) problems.push(`… and ${more} more`);
    const hint = "Nothing was sent. Mend the input, or leave bad lines out with --skip-invalid.";
    throw new InvalidInputError(problems.join("\n"), {
      hint: input.hint === undefined ? hint : `${hint}\n${input.hint}`,
    });
  }
  if (step.done) {
    const isSelected = options.shard !== undefined || options.retryFailed !== undefined;
    if (step.value === 0 || (total === 0 && !isSelected)) {
      throw new InvalidInputError(`${input.name} has no record`, { hint: INPUT_HINT });
    }
    journal?.checkEnd(step.value);
  }
  return { total, pending, invalid };
}
