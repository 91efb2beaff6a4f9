/**
 * Reads the records of a JSONL input.
 *
 * @module
 */
import type { IndexedRecord } from "../batch/batch_run.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { InvalidInputError } from "../errors.ts";
import { readLinesSync } from "../lines.ts";
import { toBatchRecord } from "./formats.ts";
import { jsonProblem } from "../json_problem.ts";
import type { InputFile } from "./input_file.ts";

/** A line that cannot be used. */
export interface InvalidLine {
  /** File, line and, where it is known, column, then what is wrong. */
  problem: string;
}

/** How an input is read. */
export interface ReadOptions {
  /** The system prompt for all records. */
  system?: string;
  /** Leave out lines that cannot be used instead of stopping at them. */
  skipInvalid?: boolean;
}

/** What a first look at the whole input tells. */
export interface InputCheck {
  /** Usable records. */
  total: number;
  /** Of these, those that are not done yet. */
  pending: number;
  /** Lines that cannot be used and are left out. */
  invalid: number;
}

/** How many bad lines are named before the rest is only counted. */
const SHOWN_PROBLEMS = 5;

function readLine(
  text: string,
  place: string,
  system: string | undefined,
): { record: Omit<IndexedRecord, "index"> } | InvalidLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { column, reason } = jsonProblem(text);
    return { problem: `${place}:${column}: not valid JSON (${reason})` };
  }
  const converted = toBatchRecord(value, system);
  return "problem" in converted ? { problem: `${place}: ${converted.problem}` } : converted;
}

/**
 * Yields the records of `input` in order, and the lines that are none. The index counts all lines
 * that are not blank, so that mending a bad line does not move the others.
 */
export function* readRecords(
  input: InputFile,
  system: string | undefined,
): Generator<IndexedRecord | InvalidLine, void, void> {
  let index = 0;
  for (const line of readLinesSync(input.fd)) {
    // A byte order mark begins each of several files that were joined.
    const text = line.text.charCodeAt(0) === 0xfeff ? line.text.slice(1) : line.text;
    if (text.trim() === "") continue;
    const place = `${input.name}:${line.number}`;
    const read = line.valid
      ? readLine(text, place, system)
      : { problem: `${place}: not UTF-8; convert it first: iconv -f latin1 (or utf-16) -t utf-8` };
    yield "record" in read ? { index, line: line.number, ...read.record } : read;
    index++;
  }
}

/** The usable records of `input`, for a run. */
export function* usableRecords(
  input: InputFile,
  options: ReadOptions,
): Generator<IndexedRecord, void, void> {
  for (const record of readRecords(input, options.system)) {
    if ("index" in record) yield record;
  }
}

/**
 * Reads the whole input before anything is sent: every line must be usable, and must be the one that
 * `checkpoint` has a result for.
 *
 * @throws {InvalidInputError} naming the first bad lines, or saying that there is none at all
 * @throws {CheckpointMismatchError} at the first record that differs
 */
export function checkInput(
  input: InputFile,
  checkpoint: Checkpoint,
  options: ReadOptions & { rerunChanged?: boolean },
): InputCheck {
  const problems: string[] = [];
  let [total, pending, invalid, end] = [0, 0, 0, 0];
  for (const record of readRecords(input, options.system)) {
    end++;
    if ("problem" in record) {
      if (invalid++ < SHOWN_PROBLEMS) problems.push(record.problem);
      continue;
    }
    total++;
    // After a bad line the run will not begin: all bad lines are told, whatever the checkpoint says.
    if (invalid > 0 && !options.skipInvalid) continue;
    if (!checkpoint.isDone(record.index, record.messages, options.rerunChanged)) pending++;
  }
  if (invalid > 0 && !options.skipInvalid) {
    const more = invalid - problems.length;
    if (more > 0) problems.push(`… and ${more} more`);
    throw new InvalidInputError(problems.join("\n"), {
      hint: "Nothing was sent. Mend the input, or leave bad lines out with --skip-invalid.",
    });
  }
  if (total === 0) throw new InvalidInputError(`${input.name} has no record`);
  checkpoint.checkEnd(end);
  return { total, pending, invalid };
}
