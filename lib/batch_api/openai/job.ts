/**
 * Decodes jobs in OpenAI's format and its variants.
 *
 * Sources: OpenAI API reference, "The batch object"; Microsoft Learn, "Global batch" (capitalised status, ISO
 * dates, counts that are null, empty error files); Groq, "Batch API" (`errors` is a plain array, also of jobs
 * that are completed); Novita, "LLM Batch API" (`PROGRESS`).
 *
 * @module
 */
import { asCount, asObject, asText, type Json } from "../../json/json.ts";
import { MalformedResponseError } from "../../errors.ts";
import type { Job, JobProblem, JobStatus } from "../batch_api.ts";
import { asTime } from "../fields.ts";
import type { ResultFiles } from "./files.ts";

const STATUSES: Readonly<Record<string, JobStatus>> = {
  validating: "validating",
  queued: "queued",
  in_queue: "queued",
  pending: "queued",
  in_progress: "running",
  progress: "running",
  running: "running",
  finalizing: "finalizing",
  completed: "completed",
  failed: "failed",
  expired: "expired",
  cancelling: "cancelling",
  canceling: "cancelling",
  cancelled: "cancelled",
  canceled: "cancelled",
};

/** A status in the words of a service; one that is unknown is not final. */
export function decodeStatus(native: unknown): Pick<Job, "status" | "nativeStatus"> {
  const text = asText(native) ?? "unknown";
  const status = STATUSES[text.trim().toLowerCase().replace(/[ -]/g, "_")];
  return status === undefined ? { status: "running", nativeStatus: text } : { status };
}

function decodeProblem(value: unknown): JobProblem | undefined {
  const error = asObject(value);
  if (error === undefined) {
    const message = asText(value);
    return message === undefined ? undefined : { message };
  }
  const code = asText(error.code);
  const line = asCount(error.line);
  const message = asText(error.message) ?? code ?? JSON.stringify(error);
  const param = asText(error.param);
  return {
    message: param === undefined ? message : `${message} (${param})`,
    code,
    line: line === 0 ? undefined : line,
    row: asText(error.custom_id),
  };
}

/** The problems in `errors`: a list object, an array, an object or text. */
export function decodeProblems(errors: unknown): JobProblem[] | undefined {
  const data = asObject(errors)?.data ?? errors;
  const list = Array.isArray(data) ? data : [data];
  const problems = list.map(decodeProblem).filter((problem) => problem !== undefined);
  return problems.length === 0 ? undefined : problems;
}

/** The ids of the result files. An empty one means no file. */
export function decodeFiles({ output_file_id, error_file_id }: Json): ResultFiles {
  return { output: asText(output_file_id), error: asText(error_file_id) };
}

/** The ids in {@link Job.output}, as {@link decodeFiles} wrote them. */
export function resultFiles({ output }: Job): ResultFiles {
  return { output: asText(output?.output), error: asText(output?.error) };
}

/** When a job ended, in milliseconds since 1970. */
function endOf(job: Json): number | undefined {
  return asTime(job.completed_at) ?? asTime(job.failed_at) ?? asTime(job.expired_at) ??
    asTime(job.cancelled_at);
}

/** What a service promises about times. */
export interface Retention {
  /** Days for which results are kept after the end of a job. */
  resultDays?: number;
  /** Whether jobs continue after their `expires_at`. */
  neverExpires?: true;
}

const DAY = 86_400_000;

function decodeTimes(job: Json, { resultDays, neverExpires }: Retention): Partial<Job> {
  const end = endOf(job);
  return {
    createdAt: asTime(job.created_at),
    expiresAt: neverExpires ? undefined : asTime(job.expires_at),
    resultsExpireAt: end === undefined || resultDays === undefined
      ? undefined
      : end + resultDays * DAY,
  };
}

function decodeCounts(job: Json): Pick<Job, "rows" | "counts"> {
  const counts = asObject(job.request_counts);
  // All are 0 while the input is being validated, and null at Azure.
  const rows = asCount(counts?.total) || undefined;
  const succeeded = asCount(counts?.completed);
  if (rows === undefined || succeeded === undefined) return { rows };
  return { rows, counts: { succeeded, failed: asCount(counts?.failed) ?? 0 } };
}

/** The error for an answer that is not a job. */
export function notAJobError(): MalformedResponseError {
  return new MalformedResponseError("the server's answer is not a batch", {
    retryable: true,
    hint: "Check that the service has a batch API at this base URL.",
  });
}

/**
 * Decodes a job.
 *
 * @throws {MalformedResponseError} if `json` is none
 */
export function decodeJob(json: unknown, retention: Retention): Job {
  const job = asObject(json);
  const id = asText(job?.id);
  if (job === undefined || id === undefined) throw notAJobError();
  return {
    id,
    ...decodeStatus(job.status),
    ...decodeTimes(job, retention),
    ...decodeCounts(job),
    problems: decodeProblems(job.errors),
    model: asText(job.model),
    output: { ...decodeFiles(job) },
    nonce: asText(asObject(job.metadata)?.flexllm),
    inputFile: asText(job.input_file_id),
  };
}
