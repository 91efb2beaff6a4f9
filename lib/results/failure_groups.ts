/**
 * Groups failed records by reason.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OTHERS } from "./summary.ts";

/** Records that failed for the same reason. */
export interface FailureGroup {
  /** The requested model, if the results name it. */
  model?: string;
  /** The `error_code`; `unknown` if the line has none. */
  code: string;
  /** The message of the first one; the others differ at most in numbers and ids. `undefined` for all further messages. */
  message: string | undefined;
  /** The number of records. */
  count: number;
  /** The lowest indexes. */
  examples: number[];
}

/** Maximum examples per group. */
const EXAMPLES = 5;
/** Maximum messages per code, since servers can put anything into theirs. */
const MAX_MESSAGES = 1000;
/** Maximum groups. Further records are one group for each code and model, then one for all. */
const MAX_GROUPS = 10_000;
/** Maximum characters of a message that are stored. */
const STORED = 10_000;
/** Maximum characters of a message that are compared. */
const COMPARED = 1000;

/** The status of the answer, which numbers in the message are not confused with. */
const STATUS = /answered \d{3}\b/;
/** Words with a digit: numbers, ids of requests, dates. */
const WORD_WITH_DIGIT = /[\p{L}_-]*\d[\p{L}\d_-]*(?:[.:]\d[\p{L}\d_-]*)*/gu;

/** What the messages of a group have in common: everything but numbers and ids. */
export function messagePattern(message: string): string {
  const compared = message.slice(0, COMPARED);
  const status = STATUS.exec(compared)?.[0] ?? "";
  return status + compared.replace(WORD_WITH_DIGIT, "#");
}

/** The start of a message. A part of a string would keep all of it in memory. */
function stored(message: string): string {
  return message.length <= STORED
    ? message
    : `${Buffer.from(message.slice(0, STORED)).toString()}…`;
}

function addExample(examples: number[], index: number): void {
  if (examples.length === EXAMPLES && index > examples[EXAMPLES - 1]) return;
  examples.push(index);
  examples.sort((a, b) => a - b);
  if (examples.length > EXAMPLES) examples.pop();
}

/** Groups of failures. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>();
  readonly #messages = new Map<string, number>();

  /** Adds a failed record. */
  add(index: number, code: string, message: string, model: string | undefined): void {
    const kind = `${code}\0${model ?? ""}`;
    let key = `${kind}\0${messagePattern(message)}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      const messages = this.#messages.get(kind) ?? 0;
      const isFull = this.#groups.size >= MAX_GROUPS;
      const isOther = isFull || messages >= MAX_MESSAGES;
      if (isFull && messages === 0) {
        model = undefined;
        code = OTHERS;
        key = OTHERS;
      } else if (isOther) key = `${kind}\0\0`;
      else this.#messages.set(kind, messages + 1);
      group = this.#groups.get(key) ?? {
        ...model === undefined ? {} : { model },
        code,
        message: isOther ? undefined : stored(message),
        count: 0,
        examples: [],
      };
      this.#groups.set(key, group);
    }
    group.count++;
    addExample(group.examples, index);
  }

  /** The groups, the most frequent first. */
  list(): FailureGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }
}
