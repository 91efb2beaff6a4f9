/**
 * The messages of provider jobs for the user.
 *
 * @module
 */
import { ConfigurationError, type FlexLLMError, JournalError } from "../../errors.ts";
import type { Job, JobProblem } from "../../batch_api/batch_api.ts";
import type { PartState } from "./part_events.ts";

const units = ["bytes", "kB", "MB", "GB"];

/** A size for people, such as `9.5 MB`. */
export function bytes(size: number): string {
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** A number of things: `1 record`, `2,000 records`. */
export function count(n: number, thing: string): string {
  return `${n.toLocaleString("en-US")} ${thing}${n === 1 ? "" : "s"}`;
}

/** A moment, as `2026-11-27 21:30 UTC`. */
export function moment(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A job's problems in one sentence. */
export function problemText(problems: readonly JobProblem[] | undefined): string {
  const [first] = problems ?? [];
  if (first === undefined) return "the provider gave no reason";
  const { message, code } = first;
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

/** The part was created, but by whom and when is not known to the log. */
export function adoptedNote({ rows }: PartState, { id }: Job): string {
  return `A job without confirmation was found: ${id} has the ${count(rows, "record")}.`;
}

/** Two creates of one part have both made a job. */
export function duplicateNote(kept: Job, other: Job, isCancelled: boolean): string {
  const rest = isCancelled ? "was cancelled" : "cannot be cancelled and will be billed";
  return `Two jobs have the same records: ${kept.id} is used, ${other.id} ${rest}.`;
}

/** An adopted job has the results of other records. */
export function foreignJobNote({ id }: Job): string {
  return `Job ${id} has the results of other records, so it is not used.`;
}

/** Results that belong to no row of the job's part. */
export function foreignRowsNote(n: number, { id }: Job): string {
  return `${count(n, "result")} of job ${id} ${n === 1 ? "has" : "have"} an unknown id and ` +
    `${n === 1 ? "was" : "were"} ignored.`;
}

/** Results that came twice. */
export function doubleRowsNote(n: number, { id }: Job): string {
  return `Job ${id} has two results for ${count(n, "record")}; the first ones are used.`;
}

/** Records that have to be sent again. */
export function leftNote(
  { missing, notRun, failed, reason }: {
    missing: number;
    notRun: number;
    failed: number;
    reason: string;
  },
  { id }: Job,
  isSentAgain: boolean,
): string {
  const counts = [
    notRun > 0 ? `${notRun.toLocaleString("en-US")} not run (${reason})` : "",
    missing > 0 ? `${missing.toLocaleString("en-US")} without a result` : "",
    failed > 0 ? `${failed.toLocaleString("en-US")} with a temporary error` : "",
  ].filter((text) => text !== "").join(", ");
  const total = count(missing + notRun + failed, "record");
  return `Job ${id} leaves ${total}: ${counts}.${isSentAgain ? " They are sent again." : ""}`;
}

/** All records of a job failed. */
export function allFailedNote(n: number, { id }: Job, message: string): string {
  return `All ${count(n, "record")} of job ${id} failed, most often with: ${message}`;
}

/** A row was refused, and with it the whole job. */
export function droppedRowNote(index: number, message: string, { rows }: PartState): string {
  const rest = rows > 1 ? ` The other ${count(rows - 1, "record")} are sent again.` : "";
  return `Record ${index} was refused, and with it its job: ${message}${rest}`;
}

/** A job was refused as a whole, for a reason that no row explains. */
export function refusedNote({ rows }: PartState, message: string): string {
  return `A job with ${count(rows, "record")} was refused: ${message}. Trying a smaller one.`;
}

/** The results of a job are deleted soon. */
export function expiringNote({ id }: Job, resultsExpireAt: number, now: number): string {
  return resultsExpireAt <= now
    ? `The results of job ${id} were due to be deleted on ${moment(resultsExpireAt)}.`
    : `The results of job ${id} are deleted on ${moment(resultsExpireAt)}: collect them before.`;
}

/** Waiting for quota. */
export function quotaNote({ rows }: PartState, message: string): string {
  return `The provider's queue is full; ${count(rows, "record")} wait for it. (${message})`;
}

/** Jobs are being cancelled. */
export function cancellingNote(jobs: number, why: "user" | "deadline"): string {
  const reason = why === "deadline" ? "The deadline has passed: " : "";
  const text = `cancelling ${count(jobs, "job")}; finished results are still collected.`;
  return reason === "" ? text[0].toUpperCase() + text.slice(1) : reason + text;
}

/** The API has no call for cancelling. */
export function cannotCancelNote({ id }: Job): string {
  return `Job ${id} cannot be cancelled: this provider has no way to. Waiting for its end.`;
}

/** The provider's files could not be deleted. */
export function notCleanedNote({ part }: PartState, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `The provider's files of part ${part} could not be deleted: ${reason}`;
}

/** A record has changed, and its submitted version is collected. */
export function changedNote(n: number): string {
  return `${count(n, "record")} changed after submission. Run the same command again once all ` +
    "jobs are collected to send the changed version.";
}

/** Exported parts are not the business of this run. */
export function exportedNote(rows: number): string {
  return `${count(rows, "record")} are exported and were skipped. Import their results with ` +
    "--import, or send them with --resend.";
}

/** The error for a part that another key, server or format has submitted. */
export function otherEndpointError(
  part: PartState,
  client: { endpoint: string; keyFingerprint: string; api: { name: string } },
  cause?: unknown,
): ConfigurationError {
  const job = part.job === undefined ? `part ${part.part}` : `job ${part.job.id}`;
  if (part.endpoint !== client.endpoint || part.api !== client.api.name) {
    return new ConfigurationError(
      `${job} was submitted to ${part.endpoint} (${part.api}), and this command uses ` +
        `${client.endpoint} (${client.api.name})`,
      { hint: "Use the same model and server, or choose another output file." },
    );
  }
  const keys = [part.key, client.keyFingerprint].map((key) => key === "" ? "no key" : key);
  return new ConfigurationError(
    `${job} was submitted with another API key (fingerprint ${keys[0]}) than this command's (` +
      `${keys[1]})`,
    {
      cause,
      hint: "Use the key that submitted it: jobs are only visible in its project. " +
        "If that key is lost, --resend sends the records again, which may be billed twice.",
    },
  );
}

/** The error for a job that the provider doesn't know. */
export function lostJobError(part: PartState, cause: unknown): FlexLLMError {
  return new JournalError(
    `${part.endpoint} does not know job ${part.job?.id} (${count(part.rows, "record")})`,
    {
      cause,
      hint: "Most often the API key belongs to another project or workspace. Use the key that " +
        "submitted it. If the job was deleted, --resend sends its records again.",
    },
  );
}

/** The error for several jobs that may be the one that was created. */
export function ambiguousError(part: PartState, candidates: readonly Job[]): FlexLLMError {
  const list = candidates.map(({ id, createdAt, status }) =>
    `${id} (${createdAt === undefined ? status : `${status}, created ${moment(createdAt)}`})`
  ).join(", ");
  return new JournalError(
    `a create of ${count(part.rows, "record")} has had no answer, and several jobs may be the ` +
      `one: ${list}`,
    {
      hint: "If you know which one it is, add --adopt ID. If it is none of them, add --resend: " +
        "the records are sent again.",
    },
  );
}

/** The error for creates that never have an answer. */
export function noAnswerError(part: PartState, creates: number): FlexLLMError {
  return new JournalError(
    `${creates} creates of a job at ${part.endpoint} had no answer, and no job exists: ` +
      `${part.problem}`,
    { hint: "Run the same command again later: it looks for the job before it sends another." },
  );
}

/** The error for a job that the provider refuses whatever its rows are. */
export function refusedError(endpoint: string, message: string): FlexLLMError {
  return new ConfigurationError(`${endpoint} refuses the batch: ${message}`, {
    hint: "Check that the model and its options are available in batches, or use --via live.",
  });
}

/** The error for a job whose results or state can not be read any more. */
export function unreadableError(part: PartState, problem: string): FlexLLMError {
  return new JournalError(`job ${part.job?.id} at ${part.endpoint} cannot be read: ${problem}`, {
    hint: "Run the same command again to go on with it: nothing is sent twice.",
  });
}
