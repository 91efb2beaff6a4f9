/**
 * Reads the state of a part's job, and requests its cancellation.
 *
 * @module
 */
import { isFinal, type Job } from "../../batch_api/batch_api.ts";
import { AuthenticationError, HttpError } from "../../errors.ts";
import { abortable } from "../../runtime/abortable.ts";
import { retryAfter } from "./create_failure.ts";
import type { JobContext } from "./job_context.ts";
import { cannotCancelNote, lostJobError, unreadableError } from "./job_notes.ts";
import type { LivePart } from "./live_part.ts";
import { needsRows } from "./submit_part.ts";

const HOUR = 3_600_000;
/** Milliseconds for which a job that the provider doesn't know is read again. */
const NOT_FOUND_PATIENCE = 600_000;
/** The same if the user wants to give it up: one 404 may come from a proxy. */
const RESEND_PATIENCE = 60_000;
/** Seconds between two reads of such a job. */
const NOT_FOUND_INTERVAL = 30;
/** Factor by which the wait between polls grows. */
const GROWTH = 1.5;

/** Milliseconds between two lines in the log of a job of which only the counts change. */
const COUNTS_INTERVAL = 60_000;

/** Whether a job's state is worth a line in the log now. */
function isWorthLogging({ state }: LivePart, job: Job, time: number): boolean {
  if (time - state.changedAt >= COUNTS_INTERVAL) return !isSame(state.job, job);
  return !isSame({ ...state.job, counts: undefined }, { ...job, counts: undefined });
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Reads the state of a part's job once. Logs `ended` if it is final. */
export async function pollPart(part: LivePart, context: JobContext): Promise<void> {
  const { client: { api, http }, stopping } = context;
  let job: Job;
  try {
    job = await abortable(api.get(http, part.state.job!.id), stopping.signal);
  } catch (error) {
    if (!context.isStop(error)) await pollFailed(part, context, error);
    return;
  }
  part.isPolled = true;
  part.missingSince = undefined;
  part.succeeded();
  if (isFinal(job.status)) {
    // A job without its rows can look as if all of them were done.
    part.see(job);
    if (!needsRows(part, context)) part.log({ type: "ended", job });
    part.wait(0);
    return;
  }
  if (isWorthLogging(part, job, context.time)) part.log({ type: "status", job });
  else part.see(job);
  if (needsRows(part, context)) return part.wait(0);
  part.wait(context.jitter(part.pollWait));
  part.pollWait = context.options.pollInterval ??
    Math.min(api.poll.longest, part.pollWait * GROWTH);
}

async function pollFailed(part: LivePart, context: JobContext, error: unknown): Promise<void> {
  // A key that never worked in this run is a mistake, not an outage.
  if (error instanceof AuthenticationError && !part.isPolled) throw error;
  if (error instanceof HttpError && error.status === 404) {
    return await notFound(part, context, error);
  }
  part.missingSince = undefined;
  if (context.time > (part.state.job?.expiresAt ?? Infinity) + HOUR) {
    throw unreadableError(part.state, error instanceof Error ? error.message : String(error));
  }
  const wait = Math.max(part.pollWait, context.backoff(Math.min(part.failures + 1, 4)));
  part.failed(error, Math.max(wait, retryAfter(error) ?? 0));
}

/** The provider doesn't know the job. Usually it is somebody else's key, or the job is seconds old. */
async function notFound(part: LivePart, context: JobContext, error: unknown): Promise<void> {
  const { client: { api, http }, store, options, stopping } = context;
  part.missingSince ??= context.clock.now();
  // A job of this run exists: the service may only be slow to show it.
  const isGivenUp = options.resend && part.creates === 0 && !part.isPolled;
  const patience = isGivenUp ? RESEND_PATIENCE : NOT_FOUND_PATIENCE;
  if (context.clock.now() - part.missingSince < patience) {
    return part.failed(error, NOT_FOUND_INTERVAL);
  }
  const { job, creatingAt, plannedAt } = part.state;
  const since = (creatingAt ?? plannedAt) - NOT_FOUND_PATIENCE;
  let jobs: Job[] = [];
  try {
    jobs = await abortable(api.find(http, store.input(part.state), since), stopping.signal);
  } catch (cause) {
    if (context.isStop(cause)) return;
    return part.failed(cause);
  }
  const listed = jobs.find(({ id }) => id === job?.id) ??
    (api.foundBy === "nothing" ? undefined : jobs[0]);
  if (listed === undefined && isGivenUp) {
    part.log({ type: "abandoned", why: "the provider does not know the job (--resend)" });
    return;
  }
  if (listed === undefined) throw lostJobError(part.state, error);
  // Listed, but not readable: the provider's list is right more often.
  part.missingSince = undefined;
  part.log({ type: "status", job: listed });
  part.failed(error);
}

/** Requests the cancellation of a part's job, which has to be repeated if it fails. */
export async function cancelPart(
  part: LivePart,
  context: JobContext,
  why: "user" | "deadline",
): Promise<void> {
  const { client: { api, http }, stopping } = context;
  const { job } = part.state;
  if (part.state.cancelling === undefined) part.log({ type: "cancelling", why });
  if (job === undefined) return;
  if (api.cancel === undefined) {
    part.isCancelRequested = true;
    context.note(cannotCancelNote(job));
    return;
  }
  try {
    if (job.status !== "cancelling") await abortable(api.cancel(http, job.id), stopping.signal);
    part.isCancelRequested = true;
    part.succeeded();
    part.pollWait = context.options.pollInterval ?? api.poll.first;
    part.wait(Math.min(5, part.pollWait));
  } catch (error) {
    if (context.isStop(error)) return;
    // It may have ended meanwhile, which the next poll shows.
    if (error instanceof HttpError && error.status < 500 && error.status !== 429) {
      part.isCancelRequested = true;
      part.wait(0);
      return;
    }
    part.failed(error);
  }
}
