/**
 * Counts the successes in a result file, and its failures by reason.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { InvalidInputError } from "../../errors.ts";
import { fileReason } from "../../files/reasons.ts";
import { readLinesSync } from "../../files/lines.ts";
import { parseLine } from "./parse_line.ts";
import type { ResultRecord } from "./result_line.ts";

/** Records that failed for the same reason. */
export interface FailureGroup {
  /** The requested model, if the results name it. */
  model?: string;
  /** The `error_code`; `unknown` if the line has none. */
  code: string;
  /** The message of the first one. The others differ at most in numbers. */
  message: string;
  /** The number of records. */
  count: number;
  /** The lowest indexes. */
  examples: number[];
}

/** The counts of one requested model. */
export interface ModelCounts {
  model: string;
  succeeded: number;
  failed: number;
}

/** The counts of a result file. */
export interface ResultCounts {
  succeeded: number;
  failed: number;
  /** The counts by requested model; empty if the results name none. */
  models: ModelCounts[];
  /** The failures by reason, the most frequent first. */
  failures: FailureGroup[];
}

/** Maximum examples per group. */
const EXAMPLES = 5;
/** Maximum reasons per code, since servers can put anything into their messages. */
const MAX_REASONS = 1000;

const NONE = 0;
const SUCCESS = 1;
/** Higher states are failures: the index of their group, plus this. */
const FAILED = 2;

/** The states of all records, with four bytes for each. */
class States {
  #states = new Int32Array(1 << 12);
  /** One more than the highest index. */
  end = 0;

  set(index: number, state: number): void {
    if (index >= this.#states.length) {
      const larger = new Int32Array(Math.max(index + 1, this.#states.length * 2));
      larger.set(this.#states);
      this.#states = larger;
    }
    this.#states[index] = state;
    this.end = Math.max(this.end, index + 1);
  }

  get(index: number): number {
    return this.#states[index];
  }
}

/** Groups failures by requested model, code and message; numbers in messages don't matter. */
class FailureGroups {
  readonly list: FailureGroup[] = [];
  readonly #positions = new Map<string, number>();
  readonly #reasons = new Map<string, number>();

  /** The position in {@link list} of the group of `record`. */
  positionOf(record: ResultRecord): number {
    const { error_code: code = "unknown", error = "", requested_model: model } = record;
    const kind = model === undefined ? code : `${code}\0${model}`;
    const reasons = this.#reasons.get(kind) ?? 0;
    const reason = error.replace(/\d+/g, "0");
    let key = `${kind}\0${reason}`;
    if (reasons >= MAX_REASONS && !this.#positions.has(key)) key = `${kind}\0\0`;
    const position = this.#positions.get(key);
    if (position !== undefined) return position;
    this.#reasons.set(kind, reasons + 1);
    this.#positions.set(key, this.list.length);
    this.list.push({
      ...model === undefined ? {} : { model },
      code,
      message: error,
      count: 0,
      examples: [],
    });
    return this.list.length - 1;
  }
}

/** Counts the records of one model, and adds its failures to `groups`. */
function countStates(states: States, groups: FailureGroups) {
  let [succeeded, failed] = [0, 0];
  for (let index = 0; index < states.end; index++) {
    const state = states.get(index);
    if (state === NONE) continue;
    if (state === SUCCESS) {
      succeeded++;
      continue;
    }
    failed++;
    const group = groups.list[state - FAILED];
    if (group.count++ < EXAMPLES) group.examples.push(index);
  }
  return { succeeded, failed };
}

/**
 * Counts the records of the open result file `fd`; `name` is for messages. If a record has several lines
 * for the same requested model, the last one counts. A torn last line, which a killed process leaves, is ignored.
 *
 * @throws {InvalidInputError} at the first line that is not a result
 */
function countLines(fd: number, name: string): ResultCounts {
  const byModel = new Map<string | undefined, States>();
  const groups = new FailureGroups();
  for (const { text, number, ended } of readLinesSync(fd)) {
    if (text.trim() === "") continue;
    const record = parseLine(text);
    if (typeof record === "string") {
      if (!ended) continue;
      throw new InvalidInputError(`${name}:${number} is not a result of flexllm: ${record}`, {
        hint: "Name a file that a batch wrote with -o.",
      });
    }
    const state = record.status === "success" ? SUCCESS : FAILED + groups.positionOf(record);
    let states = byModel.get(record.requested_model);
    if (states === undefined) byModel.set(record.requested_model, states = new States());
    states.set(record.index, state);
  }
  const counts: ResultCounts = { succeeded: 0, failed: 0, models: [], failures: [] };
  for (const [model, states] of byModel) {
    const { succeeded, failed } = countStates(states, groups);
    counts.succeeded += succeeded;
    counts.failed += failed;
    if (model !== undefined) counts.models.push({ model, succeeded, failed });
  }
  counts.failures = groups.list.filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count);
  return counts;
}

/**
 * Counts the records of the result file at `path`, in flat memory.
 *
 * @throws {InvalidInputError} if it cannot be read, or is not a result file
 */
export function countResults(path: string): ResultCounts {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    return countLines(fd, path);
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    throw new InvalidInputError(`cannot read ${path}: ${fileReason(error)}`, {
      cause: error,
      hint: "Name a file that a batch wrote with -o.",
    });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
