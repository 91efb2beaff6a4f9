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

/** Ends a message of a provider, which may lack a full stop, as a sentence. */
function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/** The job of a submission without an answer was found. */
export function adoptedNote({ rows }: PartState, { id }: Job): string {
  return `Found the job of a submission that had no answer: ${id} (${count(rows, "record")}).`;
}

/** Two creates of one part have both made a job. */
export function duplicateNote(kept: Job, other: Job, isCancelled: boolean): string {
  const rest = isCancelled ? "was cancelled" : "cannot be cancelled and will be billed";
  return `Two jobs have the same records: ${kept.id} is used, ${other.id} ${rest}.`;
}

/** The job that was adopted for a part has the results of other records. */
export function foreignJobNote({ id }: Job): string {
  return `Job ${id} has the results of other records, so it is not used.`;
}

/** Results that belong to no row of the job's part. */
export function foreignRowsNote(n: number, { id }: Job): string {
  return `${count(n, "result")} of job ${id} ${
    n === 1 ? "has an unknown id and was" : "have unknown ids and were"
  } ignored.`;
}

/** Rows with more than one result. */
export function duplicateRowsNote(n: number, { id }: Job): string {
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
  return `Job ${id} has no answer for ${total}: ${counts}.${isSentAgain ? " Sending again." : ""}`;
}

/** All records of a job failed. */
export function allFailedNote(n: number, { id }: Job, message: string): string {
  return `All ${count(n, "record")} of job ${id} failed. The most common error: ${message}`;
}

/** A job was refused because of a single row. */
export function droppedRowNote(index: number, message: string, { rows }: PartState): string {
  const rest = rows > 1
    ? ` Sending the other ${rows === 2 ? "record" : count(rows - 1, "record")} again.`
    : "";
  return `The provider rejected a job because of record ${index}: ${sentence(message)}${rest}`;
}

/** A job was refused as a whole, for a reason that no row explains. */
export function refusedNote({ rows }: PartState, message: string): string {
  return `The provider rejected a job with ${count(rows, "record")}: ${sentence(message)} ` +
    "Trying a smaller one.";
}

/** The results of a job are deleted soon. */
export function expiringNote({ id }: Job, resultsExpireAt: number, now: number): string {
  return resultsExpireAt <= now
    ? `The provider may have deleted the results of job ${id}: it keeps them until ${
      moment(resultsExpireAt)
    }.`
    : `The provider deletes the results of job ${id} on ${moment(resultsExpireAt)}: collect them ` +
      "before then.";
}

/** Waiting for quota. */
export function quotaNote({ rows }: PartState, message: string): string {
  return `The provider's queue is full; ${count(rows, "record")} ${rows === 1 ? "is" : "are"} ` +
    `waiting. (${message})`;
}

/** Jobs are being cancelled. */
export function cancellingNote(jobs: number, why: "user" | "deadline"): string {
  const reason = why === "deadline" ? "The deadline has passed: " : "";
  const text = `cancelling ${count(jobs, "job")}; rows that are done are still collected.`;
  return reason === "" ? text[0].toUpperCase() + text.slice(1) : reason + text;
}

/** The API has no call for cancelling. */
export function cannotCancelNote({ id }: Job): string {
  return `This provider cannot cancel jobs. Waiting for job ${id} to end.`;
}

/** The provider refused to cancel a job. */
export function notCancelledNote({ id }: Job, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `Job ${id} could not be cancelled: ${sentence(reason)} Waiting for it to end.`;
}

/** The provider's files could not be deleted. */
export function notCleanedNote({ part }: PartState, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `Could not delete the provider's files of part ${part}: ${reason}`;
}

/** A record has changed, and its submitted version is collected. */
export function changedNote(n: number): string {
  return `${count(n, "record")} changed after submission. Run the same command again once all ` +
    "jobs are collected to send the changed version.";
}

/** This run skips exported records. */
export function exportedNote(rows: number): string {
  return `Skipped ${count(rows, "exported record")}. Import the results with --import, or send ` +
    "the records with --resend.";
}

/** Jobs of earlier runs have the records of another model. */
export function otherModelNote(models: readonly string[], requested: string): string {
  return `Earlier jobs were submitted with ${models.join(", ")}, and are collected as they are. ` +
    `For answers of ${requested} only, choose another output file.`;
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
      `${job} was submitted to ${part.endpoint} (${part.api}), but this command uses ` +
        `${client.endpoint} (${client.api.name})`,
      { hint: "Use the same model and server, or choose another output file." },
    );
  }
  const keys = [part.key, client.keyFingerprint].map((key) => key === "" ? "no key" : key);
  return new ConfigurationError(
    `${job} was submitted with a different API key (fingerprint ${keys[0]}; this command's: ` +
      `${keys[1]})`,
    {
      cause,
      hint: "Use the key that submitted it: jobs are only visible in its project. " +
        "If you no longer have it, --resend sends the records again; they may be billed twice.",
    },
  );
}

/** The error for a job that the provider doesn't know. */
export function lostJobError(part: PartState, cause: unknown): FlexLLMError {
  return new JournalError(
    `${part.endpoint} does not know job ${part.job?.id} (${count(part.rows, "record")})`,
    {
      cause,
      hint: "Usually the API key belongs to another project or workspace: use the key that " +
        "submitted the job. If the job was deleted, --resend sends its records again.",
    },
  );
}

/** The error for several jobs that may be the one that was created. */
export function ambiguousError(part: PartState, candidates: readonly Job[]): FlexLLMError {
  const list = candidates.map(({ id, createdAt, status }) =>
    `${id} (${createdAt === undefined ? status : `${status}, created ${moment(createdAt)}`})`
  ).join(", ");
  return new JournalError(
    `a submission of ${count(part.rows, "record")} had no answer, and several jobs may be the ` +
      `one it created: ${list}`,
    {
      hint: "If you know which one it is, add --adopt ID. If it is none of them, add --resend to " +
        "send the records again.",
    },
  );
}

/** The error for creates that never get an answer. */
export function noAnswerError(part: PartState, creates: number): FlexLLMError {
  return new JournalError(
    `${creates} submissions to ${part.endpoint} had no answer, and no job exists: ` +
      `${part.problem}`,
    { hint: "Run the same command again later. It looks for the job before it submits again." },
  );
}

/** The error for a job that the provider refuses for a reason that no row explains. */
export function refusedError(endpoint: string, message: string): FlexLLMError {
  return new ConfigurationError(`${endpoint} rejected the batch: ${message}`, {
    hint: "Check that the model and its options are available in batches, or use --via live.",
  });
}

/** The error for a job whose results or state cannot be read. */
export function unreadableError(part: PartState, problem: string): FlexLLMError {
  return new JournalError(`job ${part.job?.id} at ${part.endpoint} cannot be read: ${problem}`, {
    hint: "Run the same command again to continue; nothing is sent twice.",
  });
}

/** The error for a job whose results the provider no longer has. */
export function goneError(part: PartState, cause: unknown): FlexLLMError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new JournalError(
    `the results of job ${part.job?.id} at ${part.endpoint} no longer exist: ${reason}`,
    {
      cause,
      hint: "Providers delete results after some days. To send the records again, and pay for " +
        "them again, add --resend.",
    },
  );
}

/** The error for an ended job of which no result can be used. */
export function unusableError(
  part: PartState,
  { foreign, unreadable }: { foreign: number; unreadable: number },
): FlexLLMError {
  const what = foreign > 0
    ? `${count(foreign, "result")} with unknown ids`
    : unreadable > 0
    ? `${count(unreadable, "line")} that ${unreadable === 1 ? "is no result" : "are no results"}`
    : "no results";
  return new JournalError(
    `job ${part.job?.id} at ${part.endpoint} has ended, and returned ${what} for ` +
      count(part.rows, "record"),
    {
      hint: "Run the same command again to read them again: nothing is sent twice. If they stay " +
        "like that, --resend sends the records again, which may be billed twice.",
    },
  );
}
