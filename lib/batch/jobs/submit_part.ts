/**
 * Submits a part: uploads its input, creates its job with a single request, and adds the rows.
 *
 * @module
 */
import { isFinal, type Job, type JobProblem } from "../../batch_api/batch_api.ts";
import { abortable } from "../../runtime/abortable.ts";
import {
  createFailure,
  isFileMissing,
  problemOf,
  repeatableFailure,
  retryAfter,
} from "./create_failure.ts";
import type { JobContext } from "./job_context.ts";
import type { LivePart } from "./live_part.ts";

/**
 * What became of a submission: done, to be repeated, unclear, stopped before anything was sent, or refused by
 * a quota or for its content.
 */
export type Submission =
  | { kind: "submitted" | "later" | "unclear" | "stopped" }
  | { kind: "quota" | "invalid"; problem: JobProblem };

/** Failures in a row after which an uploaded file counts as lost. */
const MAX_FAILURES = 8;
/** Milliseconds before its deletion at which an uploaded input is not used any more. */
const UPLOAD_MARGIN = 600_000;

/** Uploads the input of a part, unless it is there. */
async function upload(part: LivePart, context: JobContext): Promise<Submission | undefined> {
  const { client: { api, http }, store } = context;
  const { uploaded } = part.state;
  const isThere = uploaded !== undefined &&
    (uploaded.expiresAt === undefined || uploaded.expiresAt - UPLOAD_MARGIN > context.time);
  if (api.upload === undefined || isThere) return undefined;
  const input = store.input(part.state);
  if (api.needsUpload?.(input) === false) return undefined;
  part.show("uploading");
  try {
    part.log({
      type: "uploaded",
      uploaded: await abortable(api.upload(http, input), context.stopping.signal),
    });
    return undefined;
  } catch (error) {
    if (context.isStop(error)) return { kind: "stopped" };
    const failure = repeatableFailure(error);
    if (failure === "quota" || failure === "invalid") {
      return { kind: failure, problem: problemOf(error) };
    }
    if (failure === "fatal") throw error;
    part.failed(error, retryAfter(error));
    return { kind: "later" };
  } finally {
    part.show(undefined);
  }
}

/** Handles a failed create. */
function createFailed(part: LivePart, context: JobContext, error: unknown): Submission {
  const failure = createFailure(error, context.client.api);
  const problem = problemOf(error);
  if (failure === "unclear") {
    part.log({ type: "unknown", error: problem.message });
    part.problem = problem.message;
    part.looks = 0;
    part.unclearAt = context.clock.now();
    part.wait(context.client.api.foundBy === "id" ? 0 : 5);
    return { kind: "unclear" };
  }
  part.log({ type: "refused", error: problem.message, code: problem.code });
  if (failure === "fatal") throw error;
  if (failure !== "later") return { kind: failure, problem };
  if (isFileMissing(error) && part.failures >= MAX_FAILURES) throw error;
  part.failed(error, retryAfter(error));
  return { kind: "later" };
}

/** Uploads and creates the job of a part. The create is sent once, whatever its answer is. */
export async function submitPart(part: LivePart, context: JobContext): Promise<Submission> {
  const { client: { api, http }, store } = context;
  const notUploaded = await upload(part, context);
  if (notUploaded !== undefined) return notUploaded;
  if (context.stopping.signal.aborted) return { kind: "stopped" };
  const input = store.input(part.state);
  const serverTime = http.clockOffset === undefined ? undefined : context.time + http.clockOffset;
  part.log({
    type: "creating",
    attempt: part.state.attempts + 1,
    ...(serverTime !== undefined && { server_at: new Date(serverTime).toISOString() }),
  });
  part.creates++;
  let job: Job;
  try {
    job = await abortable(api.create(http, input), context.aborting.signal);
  } catch (error) {
    return createFailed(part, context, error);
  }
  submitted(part, context, job);
  return { kind: "submitted" };
}

/** Logs that the job of a part exists. */
export function submitted(
  part: LivePart,
  context: JobContext,
  job: Job,
  adopted?: "found" | "user",
): void {
  part.log({ type: "submitted", job, ...(adopted && { adopted }) });
  part.succeeded();
  part.looks = 0;
  part.pollWait = context.options.pollInterval ?? context.client.api.poll.first;
  // A job that was found may have ended long ago, and a server that imitates the API may answer at once.
  const isReady = adopted !== undefined || isFinal(job.status) || needsRows(part, context);
  part.wait(isReady ? 0 : part.pollWait);
}

/** Whether the rows still have to be added to the job. */
export function needsRows(part: LivePart, { client: { api } }: JobContext): boolean {
  const { job, rows, phase } = part.state;
  if (api.fill === undefined || part.isFilled || phase !== "submitted" || job === undefined) {
    return false;
  }
  if (job.status !== "completed" && (isFinal(job.status) || job.status === "cancelling")) {
    return false;
  }
  return job.rows !== rows;
}

/** Adds the rows to the job. May be repeated. */
export async function fillPart(part: LivePart, context: JobContext): Promise<void> {
  const { client: { api, http }, store } = context;
  part.show("uploading");
  try {
    const { job } = part.state;
    await abortable(api.fill!(http, job!, store.input(part.state)), context.stopping.signal);
    part.isFilled = true;
    part.succeeded();
    part.wait(part.pollWait);
  } catch (error) {
    if (context.isStop(error)) return;
    const failure = repeatableFailure(error);
    if (failure === "fatal" || failure === "invalid") throw error;
    part.failed(error, retryAfter(error));
  } finally {
    part.show(undefined);
  }
}
