/**
 * Describes the parts of a provider batch, and asks the provider for the current state of their jobs.
 *
 * @module
 */
import { TimeoutError } from "../../errors.ts";
import { type BatchApi, isFinal, type JobStatus } from "../../batch_api/batch_api.ts";
import type { BatchHttp } from "../../batch_api/batch_http.ts";
import { holdsRows, type PartState } from "./part_events.ts";

/**
 * The state of a part. Before submission: `not_submitted`, or `unclear` if a submission had no answer. Then that
 * of its job, or `submitted` while none is known. `to_be_collected`: the job has ended, and collection was
 * interrupted. At the end: `collected`; `dropped` if it never became a job; or `given_up`, which counts as spent.
 * `exported` parts are in files.
 */
export type PartStatusName =
  | JobStatus
  | "not_submitted"
  | "unclear"
  | "submitted"
  | "to_be_collected"
  | "collected"
  | "dropped"
  | "given_up"
  | "exported";

/** The state of a part. */
export function statusOf({ phase, job, cancelling }: PartState): PartStatusName {
  switch (phase) {
    case "planned":
    case "uploaded":
      return "not_submitted";
    case "creating":
    case "unknown":
      return "unclear";
    case "submitted": {
      if (job === undefined) return "submitted";
      return cancelling !== undefined && !isFinal(job.status) ? "cancelling" : job.status;
    }
    case "ended":
      return "to_be_collected";
    case "collected":
    case "cleaned":
      return "collected";
    case "abandoned":
      return "given_up";
    default:
      return phase;
  }
}

/** One part of a provider batch: a slice of the input, which is one job at the provider. */
export interface PartStatus {
  /** The part's name. */
  part: string;
  /** The id of the provider's job; `undefined` before it is known. */
  job?: string;
  /** The model's id at the provider. */
  model: string;
  /** The base URL of the server. */
  endpoint: string;
  /** See {@link PartStatusName}. */
  state: PartStatusName;
  /** Whether its rows are, or may be, at the provider, so that they are not sent again. */
  live: boolean;
  /** Number of records in it. */
  rows: number;
  /** Rows that were answered, as far as the provider reports it. */
  succeeded?: number;
  /** Rows that failed, as far as the provider reports it. */
  failed?: number;
  /** Rows that the job did not answer: they were sent again in another part, or are left. */
  left?: number;
  /** When its job was created. */
  submittedAt?: Date;
  /** Seconds since it was submitted. */
  age?: number;
  /** When the job expires if it is not done by then. */
  expiresAt?: Date;
  /** When the provider deletes the results. */
  resultsExpireAt?: Date;
  /** What is wrong, such as a refused submission, or a provider that does not answer. */
  problem?: string;
}

function date(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

/** Describes a part. `now` is in milliseconds since 1970. */
export function partStatus(part: PartState, now: number): PartStatus {
  const { job, collected, submittedAt } = part;
  return {
    part: part.part,
    job: job?.id,
    model: part.model,
    endpoint: part.endpoint,
    state: statusOf(part),
    live: holdsRows(part),
    rows: part.rows,
    succeeded: collected?.answered ?? job?.counts?.succeeded,
    failed: collected?.failed ?? job?.counts?.failed,
    left: collected?.left,
    submittedAt: date(submittedAt),
    age: submittedAt === undefined ? undefined : Math.max(0, now - submittedAt) / 1000,
    expiresAt: date(job?.expiresAt),
    resultsExpireAt: date(job?.resultsExpireAt),
    problem: part.problem,
  };
}

/** The batch API that has the job of a part. */
export interface JobReader {
  api: Pick<BatchApi, "get">;
  http: BatchHttp;
}

/** Seconds to wait for all answers. */
const LONGEST_WAIT = 30;
/** Jobs that are queried at the same time: providers limit the rate of requests. */
const QUERIES = 8;

/** Waits for an answer until `deadline`, in milliseconds of `performance.now()`. */
async function answered<T>(answer: Promise<T>, deadline: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new TimeoutError("the provider did not respond in time", LONGEST_WAIT);
    timer = setTimeout(() => reject(error), deadline - performance.now());
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether only the provider knows the current state of a part's job. */
function isAtProvider(part: PartState): boolean {
  return holdsRows(part) && part.job !== undefined && !isFinal(part.job.status);
}

/**
 * Returns the parts with the current states of their jobs. A part whose job cannot be read keeps its last known
 * state.
 *
 * @param read finds the batch API of a part; may throw
 * @param onError called for each part whose job cannot be read; returns the problem to show
 */
export async function currentParts(
  parts: readonly PartState[],
  read: (part: PartState) => JobReader | Promise<JobReader>,
  onError: (error: unknown) => string,
): Promise<PartState[]> {
  const deadline = performance.now() + LONGEST_WAIT * 1000;
  const query = async (part: PartState): Promise<PartState> => {
    if (!isAtProvider(part)) return part;
    try {
      const { api, http } = await read(part);
      const job = await answered(api.get(http, part.job!.id), deadline);
      // An answer may lack fields that an earlier one had.
      return { ...part, job: { ...part.job, ...job }, problem: undefined };
    } catch (error) {
      return { ...part, problem: onError(error) };
    }
  };
  const queried: PartState[] = [];
  for (let i = 0; i < parts.length; i += QUERIES) {
    queried.push(...await Promise.all(parts.slice(i, i + QUERIES).map(query)));
  }
  return queried;
}
