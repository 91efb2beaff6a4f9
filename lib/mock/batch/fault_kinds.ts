/**
 * Lists the faults that the mock's batch APIs inject, and parses their notation.
 *
 * @module
 */
import { ConfigurationError } from "../../errors.ts";
import { similarName } from "../../similar_name.ts";

/** What a fault's value is: nothing, a count, a share of rows, a time, or an HTTP status. */
type ValueKind = "none" | "count" | "share" | "seconds" | "status";

/** A kind of fault. */
export interface FaultKind {
  value: ValueKind;
  /** The value if none is given. */
  usual: number;
  /** What is counted for `@`: created jobs, or requests that the fault can hit. */
  per: "job" | "request";
  text: string;
}

function kind(
  per: FaultKind["per"],
  text: string,
  value: ValueKind = "none",
  usual = 1,
): FaultKind {
  return { value, usual, per, text };
}

/** The name of a kind of fault. */
export type BatchFaultName =
  | "invalid_line"
  | "token_limit"
  | "expire"
  | "stuck"
  | "all_errors"
  | "row_errors"
  | "cancel_loses"
  | "uncancel"
  | "missing_rows"
  | "double_rows"
  | "swapped_rows"
  | "blank_error_file"
  | "empty_error_file"
  | "line_separators"
  | "capital_status"
  | "counts_back"
  | "hidden"
  | "unlisted"
  | "create_drop"
  | "create_commit_drop"
  | "create_commit_500"
  | "create_commit_hang"
  | "file_not_found"
  | "upload_drop"
  | "poll_502"
  | "cut_download"
  | "list_page";

/** All kinds, by name. */
export const BATCH_FAULT_KINDS: Readonly<Record<BatchFaultName, FaultKind>> = {
  invalid_line: kind("job", "validation fails at line N", "count"),
  token_limit: kind("job", "validation fails with token_limit_exceeded"),
  expire: kind("job", "the job expires with this share of its rows done", "share", 0.5),
  stuck: kind("job", "the job never gets beyond this share of its rows", "share", 0),
  all_errors: kind("job", "every row fails with this status", "status", 500),
  row_errors: kind("job", "N rows fail with status 500", "count"),
  cancel_loses: kind("job", "N rows that were done are missing after a cancel", "count"),
  uncancel: kind("job", "xAI: cancelled rows are done after all, after this time", "seconds", 20),
  missing_rows: kind("job", "N rows are in no result", "count"),
  double_rows: kind("job", "N rows are in the results twice", "count"),
  swapped_rows: kind("job", "the ids of N pairs of rows are swapped", "count"),
  blank_error_file: kind("job", 'the id of an error file that does not exist is ""'),
  empty_error_file: kind("job", "a job without failed rows has an error file of 0 bytes"),
  line_separators: kind("job", "answers contain U+2028 and U+2029"),
  capital_status: kind("job", "the status is capitalized"),
  counts_back: kind("job", "every second poll shows lower counts"),
  hidden: kind("job", "404 for this time after the create", "seconds", 5),
  unlisted: kind("job", "missing in the list for this time after the create", "seconds", 5),
  create_drop: kind("request", "a create drops the connection, and creates nothing"),
  create_commit_drop: kind("request", "a create creates the job, and drops the connection"),
  create_commit_500: kind("request", "a create creates the job, and answers with status 500"),
  create_commit_hang: kind("request", "a create creates the job, and never answers"),
  file_not_found: kind("request", "a create does not find the file that was just uploaded"),
  upload_drop: kind("request", "an upload is stored, and drops the connection"),
  poll_502: kind("request", "reading a job fails with status 502"),
  cut_download: kind("request", "a download of results breaks off in the middle"),
  list_page: kind("request", "the list has at most N jobs a page", "count"),
};

/** A fault, and which jobs or requests it hits. */
export interface BatchFault {
  kind: BatchFaultName;
  value: number;
  /** Hits the jobs or requests from this one, counted from 1. */
  from: number;
  /** The last one that it hits. */
  to: number;
  /** Hits only every n-th. */
  every: number;
}

/** The notation of values, and what to write. */
const VALUES: Record<Exclude<ValueKind, "none">, [pattern: RegExp, expected: string]> = {
  count: [/^[1-9]\d{0,8}$/, "an integer ≥ 1"],
  share: [/^(\d{1,2}|100)%$/, "a share of the rows such as 30%"],
  seconds: [/^\d+(\.\d+)?(ms|s|m|h)?$/, "a time such as 5s"],
  status: [/^[45]\d\d$/, "an HTTP status from 400 to 599"],
};

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

function problem(text: string, message: string): ConfigurationError {
  return new ConfigurationError(`batch fault "${text}": ${message}`, {
    hint:
      "A fault is KIND, KIND=VALUE, or one of them with @3 (the first three), @2-4 (the second " +
      "to the fourth) or @every5 (every fifth). The kinds are listed in docs/mock.md.",
  });
}

function valueOf(text: string, { value: kind, usual }: FaultKind, given: string | undefined) {
  if (given === undefined) return usual;
  if (kind === "none") throw problem(text, "this kind takes no value");
  const [pattern, expected] = VALUES[kind];
  if (!pattern.test(given)) throw problem(text, `expected ${expected}, got "${given}"`);
  const number = parseFloat(given);
  if (kind === "share") return number / 100;
  return kind === "seconds" ? number * UNITS[/[a-z]+$/.exec(given)?.[0] ?? "s"] : number;
}

/**
 * Parses `KIND[=VALUE][@WHICH]`.
 *
 * @throws {ConfigurationError} if it is no fault
 */
export function parseBatchFault(text: string): BatchFault {
  const [, name, given, which] = /^([^=@]*)(?:=([^@]*))?(?:@(.*))?$/s.exec(text) ?? [, text];
  if (!Object.hasOwn(BATCH_FAULT_KINDS, name!)) {
    const near = similarName(name!, Object.keys(BATCH_FAULT_KINDS));
    const names = Object.keys(BATCH_FAULT_KINDS).join(", ");
    throw problem(
      text,
      near === undefined ? `expected one of ${names}` : `unknown kind; did you mean "${near}"?`,
    );
  }
  const kind = name as BatchFaultName;
  const value = valueOf(text, BATCH_FAULT_KINDS[kind], given);
  const fault = { kind, value, from: 1, to: Infinity, every: 1 };
  if (which === undefined) return fault;
  const [, first, last, every] =
    /^(?:([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?|every([1-9]\d{0,8}))$/.exec(which) ?? [];
  if (every !== undefined) return { ...fault, every: Number(every) };
  if (first === undefined || last !== undefined && Number(last) < Number(first)) {
    throw problem(text, `expected @3, @2-4 or @every5, got "@${which}"`);
  }
  if (last === undefined) return { ...fault, to: Number(first) };
  return { ...fault, from: Number(first), to: Number(last) };
}

/** Whether a fault hits the n-th job or request, counted from 1. */
export function hits({ from, to, every }: BatchFault, n: number): boolean {
  return n >= from && n <= to && n % every === 0;
}
