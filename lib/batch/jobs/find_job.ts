/**
 * Looks for the job of a create that had no clear answer, before anything is sent again.
 *
 * @module
 */
import { isFinal, type Job } from "../../batch_api/batch_api.ts";
import { InvalidInputError } from "../../errors.ts";
import { abortable } from "../../runtime/abortable.ts";
import { repeatableFailure } from "./create_failure.ts";
import type { JobContext } from "./job_context.ts";
import { adoptedNote, ambiguousError, duplicateNote } from "./job_notes.ts";
import type { LivePart } from "./live_part.ts";
import type { PartState } from "./part_events.ts";
import { submitted } from "./submit_part.ts";

/** Seconds between two looks. */
const LOOK_INTERVAL = 15;
/** Seconds after a create in which its job may not be listed yet. */
const LIST_LAG = 60;
/** The same if jobs cannot be told apart. */
const LONG_LIST_LAG = 120;
/** Milliseconds by which the clock of the provider may be behind: for labels, and for times alone. */
const LABEL_MARGIN = 600_000;
const TIME_MARGIN = 10_000;

/** Milliseconds for which jobs are looked at if our clock was wrong when the create was sent. */
const WRONG_CLOCK_MARGIN = 7 * 86_400_000;

/**
 * The time after which the job of a part was created, by the provider's clock. Clocks of laptops and virtual
 * machines can be wrong by hours, and a job that seems too old would be submitted twice.
 */
function createdSince({ state }: LivePart, { client: { api, http }, time }: JobContext): number {
  const margin = api.foundBy === "nothing" ? TIME_MARGIN : LABEL_MARGIN;
  if (state.creatingServerAt !== undefined) return state.creatingServerAt - margin;
  const creatingAt = state.creatingAt ?? state.plannedAt;
  const offset = http.clockOffset ?? 0;
  // The clock was set back since.
  if (creatingAt > time + TIME_MARGIN) return time + offset - WRONG_CLOCK_MARGIN;
  return creatingAt + offset - margin;
}

function isSameModel(reported: string | undefined, model: string): boolean {
  if (reported === undefined) return true;
  // Providers add versions and prefixes.
  const [a, b] = [reported.toLowerCase(), model.toLowerCase()];
  return a.includes(b) || b.includes(a);
}

/** The jobs that can be the one of a part, at an API that has no labels. */
function candidates(
  jobs: readonly Job[],
  part: LivePart,
  since: number,
  { store }: JobContext,
): Job[] {
  const { rows, model } = part.state;
  const known = new Set(store.parts.map(({ job }) => job?.id));
  return jobs.filter((job) =>
    !known.has(job.id) && !part.foreignJobs.has(job.id) &&
    (job.createdAt === undefined || job.createdAt >= since) &&
    (job.rows === undefined || job.rows === rows) && isSameModel(job.model, model)
  );
}

/** How far a job is; the one that is worth the most is kept. */
const PROGRESS: Readonly<Record<Job["status"], number>> = {
  completed: 8,
  expired: 7,
  finalizing: 6,
  running: 5,
  queued: 4,
  validating: 3,
  cancelling: 2,
  cancelled: 1,
  failed: 0,
};

function byProgress(a: Job, b: Job): number {
  return PROGRESS[b.status] - PROGRESS[a.status];
}

/** Cancels the jobs that a repeated create has made in addition. */
async function cancelOthers(kept: Job, others: readonly Job[], context: JobContext) {
  const { api, http } = context.client;
  for (const other of others) {
    let isCancelled = isFinal(other.status);
    try {
      if (!isCancelled && api.cancel !== undefined) {
        await api.cancel(http, other.id);
        isCancelled = true;
      }
    } catch {
      // The note says so.
    }
    context.note(duplicateNote(kept, other, isCancelled));
  }
}

/** Milliseconds for which a create has had no clear answer; the time of day may have been set in between. */
function unclearFor(part: LivePart, { clock, time }: JobContext): number {
  const passed = clock.now() - (part.unclearAt ?? clock.now());
  return part.creates > 0 ? passed : Math.max(passed, time - part.state.changedAt);
}

/**
 * Looks for the job of an unclear part once. Returns `none` if it is certain that none exists; until then the
 * part is scheduled for the next look.
 *
 * @throws {JournalError} if several jobs may be the one
 */
export async function findJob(
  part: LivePart,
  context: JobContext,
): Promise<"found" | "waiting" | "none"> {
  const { client: { api, http }, store, stopping } = context;
  const hasLabels = api.foundBy !== "nothing";
  const since = createdSince(part, context);
  let jobs: Job[];
  try {
    jobs = await abortable(api.find(http, store.input(part.state), since), stopping.signal);
  } catch (error) {
    if (context.isStop(error)) return "waiting";
    if (repeatableFailure(error) === "fatal") throw error;
    part.failed(error);
    return "waiting";
  }
  part.failures = 0;
  part.looks++;
  part.unclearAt ??= context.clock.now();
  const found = hasLabels
    ? jobs.filter(({ id }) => !part.foreignJobs.has(id)).sort(byProgress)
    : candidates(jobs, part, since, context);
  if (found.length > 1 && !hasLabels) throw ambiguousError(part.state, found);
  if (found.length > 0) {
    submitted(part, context, found[0], "found");
    context.note(adoptedNote(part.state, found[0]));
    await cancelOthers(found[0], found.slice(1), context);
    return "found";
  }
  const lag = hasLabels ? LIST_LAG : LONG_LIST_LAG;
  // An id of our own is read directly, not from a list.
  const isOver = api.foundBy === "id" ||
    part.looks > 1 && unclearFor(part, context) >= lag * 1000;
  if (isOver) return "none";
  part.wait(LOOK_INTERVAL);
  return "waiting";
}

/** Why a job cannot be the one of a part; `undefined` if it can. */
function otherThan(state: PartState, { rows, nonce, inputFile, model }: Job): string | undefined {
  const { part, uploaded } = state;
  if (nonce !== undefined && nonce !== part) return "that job was submitted for other records";
  if (inputFile !== undefined && uploaded !== undefined && inputFile !== uploaded.file) {
    return `that job has the input file ${inputFile}, and ${uploaded.file} was submitted`;
  }
  // Some services count the rows only later.
  if (rows && rows !== state.rows) {
    return `that job has ${rows} rows, and ${state.rows} were submitted`;
  }
  if (!isSameModel(model, state.model)) {
    return `that job has the model ${model}, and ${state.model} was requested`;
  }
}

/**
 * Uses the job `id` for the part whose create had no clear answer.
 *
 * @throws {InvalidInputError} if there is no such part, there are several, or the job has other rows
 */
export async function adoptJob(
  id: string,
  parts: readonly LivePart[],
  context: JobContext,
): Promise<void> {
  const [part, ...others] = parts.filter(({ isUnclear }) => isUnclear);
  const owner = context.store.parts.find(({ job }) => job?.id === id);
  // The same command was run before.
  if (owner !== undefined && part === undefined) return;
  if (part === undefined) {
    throw new InvalidInputError(`--adopt ${id}: there is no job to look for`, {
      hint: "Every create had a clear answer. Run the command without --adopt.",
    });
  }
  if (owner !== undefined) {
    throw new InvalidInputError(`--adopt ${id}: that job has other records of this batch`);
  }
  const job = await abortable(
    context.client.api.get(context.client.http, id),
    context.stopping.signal,
  );
  const candidates = [part, ...others];
  const matching = candidates.filter(({ state }) => otherThan(state, job) === undefined);
  if (matching.length === 0) {
    throw new InvalidInputError(`--adopt ${id}: ${otherThan(part.state, job)}`, {
      hint: "Give the id of the job that the create without an answer has made.",
    });
  }
  if (matching.length > 1) {
    throw new InvalidInputError(
      `--adopt ${id}: ${matching.length} creates had no answer, and that job may be any of them`,
      { hint: "Run the command without --adopt first: it looks for the jobs by itself." },
    );
  }
  submitted(matching[0], context, job, "user");
}
