/**
 * Executes the records of a batch as jobs of a provider's batch API, and survives interruptions at any point.
 *
 * Records are pulled into parts, each of which becomes one job. Every step is logged before and after, and no
 * create is repeated before it is certain that the one before made no job. The next run continues from the log.
 *
 * @module
 */
import type { Executor, IndexedRecord, Outcome } from "../executor.ts";
import { loadFingerprint } from "../journal/fingerprint.ts";
import { Canary } from "../jobs/canary.ts";
import { earlierParts } from "../jobs/earlier_parts.ts";
import { EarlierRows } from "../jobs/earlier_rows.ts";
import { adoptJob } from "../jobs/find_job.ts";
import { JobContext, type JobExecutorOptions } from "../jobs/job_context.ts";
import { cancellingNote, changedNote } from "../jobs/job_notes.ts";
import type { JobView } from "../jobs/job_view.ts";
import type { LivePart } from "../jobs/live_part.ts";
import { holdsRows } from "../jobs/part_events.ts";
import { PartPlanner } from "../jobs/part_planner.ts";
import { PartSteps } from "../jobs/part_steps.ts";
import { PendingRows, type Records } from "../jobs/pending_rows.ts";
import { needsRows } from "../jobs/submit_part.ts";
import { SubmissionLimits } from "../jobs/submission_limits.ts";

export type { JobExecutorOptions } from "../jobs/job_context.ts";

/** Milliseconds between two checks for a requested cancellation, and of the time of day. */
const TICK = 1000;
/** Milliseconds by which the time of day runs ahead of the clock after the computer has slept. */
const SLEPT = 30_000;
/** Milliseconds for which a create in flight is waited for when the run stops. */
const GRACE = 5000;

/** Executes records as jobs of a batch API. */
export class JobExecutor implements Executor {
  /** Failures of collected records never stop the batch, so it has no influence. */
  readonly concurrency = 1;
  readonly hasHealthyEndpoint = false;
  readonly #context: JobContext;
  readonly #limits: SubmissionLimits;
  readonly #earlier = new EarlierRows();
  readonly #finished = new AbortController();
  #parts: LivePart[] = [];
  #steps: PartSteps | undefined;
  #canary: Canary | undefined;
  /** Ends the current wait. */
  #wake: () => void = () => {};
  /** Whether money has become available since planning last waited for it. */
  #isBudgetReady = true;
  /** When the first of the live jobs was submitted, in milliseconds since 1970. */
  #firstSubmission: number | undefined;
  #deadlineReached = false;
  #cancelled = false;
  #changed = 0;
  /** Whether all records were planned. */
  #isInputDone = false;

  constructor(options: JobExecutorOptions) {
    this.#context = new JobContext(options);
    this.#limits = new SubmissionLimits(this.#context);
  }

  /** Rows that were sent again after a temporary failure. */
  get retries(): number {
    return this.#steps?.retries ?? 0;
  }

  /** Whether the deadline has passed. The jobs were cancelled then, and no more were submitted. */
  get deadlineReached(): boolean {
    return this.#deadlineReached;
  }

  /** Whether the jobs were cancelled by the user. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Whether every record has an outcome, or is in a job. Meaningful once the run has ended. */
  get isComplete(): boolean {
    return this.#isInputDone && (this.#steps?.left ?? 0) === 0;
  }

  /** Rows that are at the provider, or may be, and whose results are not collected. */
  get submittedRows(): number {
    const { store, options } = this.#context;
    return store.parts.filter((part) =>
      holdsRows(part) && part.phase !== "planned" && part.phase !== "uploaded" &&
      part.requested_model === options.requestedModel
    ).reduce((sum, { rows }) => sum + rows, 0);
  }

  /** The parts of this run, finished ones included. */
  views(): JobView[] {
    return this.#parts.filter(({ state: { phase } }) => phase !== "dropped")
      .map((part) => part.view());
  }

  /**
   * Releases what a run that has ended keeps reserved for its jobs. A process that does something else than waiting for
   * them calls it: the next run reserves the money again, and until then nothing would ever release it.
   */
  releaseMoney(): void {
    for (const { money } of this.#parts) money.release();
  }

  isYielded(index: number): boolean {
    return this.#earlier.isYielded(index);
  }

  async *run(records: Records): AsyncGenerator<Outcome[], void, void> {
    const rows = new PendingRows(records, {
      earlier: this.#earlier,
      onChanged: (record) => this.#recordChanged(record),
      signal: this.#context.stopping.signal,
    });
    const planner = new PartPlanner(this.#context, this.#limits, rows);
    planner.onReady = () => {
      this.#isBudgetReady = true;
      this.#wake();
    };
    try {
      await loadFingerprint();
      const canary = this.#canary = new Canary(this.#context);
      this.#parts = await earlierParts(this.#context, this.#earlier);
      const steps = this.#steps = new PartSteps(this.#context, {
        canary,
        limits: this.#limits,
        rows,
        earlier: this.#earlier,
        live: () => this.#live,
      });
      const { adopt } = this.#context.options;
      if (adopt !== undefined) await adoptJob(adopt, this.#parts, this.#context);
      yield* this.#work(steps, planner);
      // Nothing was planned since the end began, but the input may have had no more records.
      const mayHaveMore = steps.ending !== undefined && !this.#isStopping;
      this.#isInputDone = mayHaveMore ? await planner.isExhausted() : planner.isDone;
      if (planner.overBudget !== undefined && !this.#isStopping) yield [planner.overBudget];
      if (this.#changed > 0) this.#context.note(changedNote(this.#changed));
    } catch (error) {
      if (!this.#context.isStop(error)) throw error;
    } finally {
      this.#finished.abort();
      this.#context.stopping.abort();
      planner.close();
      rows.close();
      for (const { collection, money } of this.#parts) {
        if (collection === undefined) continue;
        // What is in the result file is spent, even if the rest is collected by the next run.
        money.commit(collection.charge);
        collection[Symbol.dispose]();
      }
      this.#earlier.close();
    }
  }

  /** Creates no more jobs and returns soon. Submitted ones continue at the provider. */
  stop(): void {
    if (this.#isStopping) return;
    this.#context.stopping.abort();
    this.#wake();
    // The answer of a create in flight says which job it has made.
    this.#context.clock.sleep(GRACE, this.#finished.signal)
      .then(() => this.#context.aborting.abort(), () => {});
  }

  /** Stops, without waiting for a create in flight. The next run looks for its job. */
  abort(): void {
    this.stop();
    this.#context.aborting.abort();
  }

  get #isStopping(): boolean {
    return this.#context.stopping.signal.aborted;
  }

  get #live(): LivePart[] {
    return this.#parts.filter(({ state }) => holdsRows(state));
  }

  async *#work(steps: PartSteps, planner: PartPlanner): AsyncGenerator<Outcome[], void, void> {
    let isInputSeen = false;
    while (!this.#isStopping) {
      this.#checkEnding(steps);
      let isIdle = true;
      for (const part of this.#live) {
        if (this.#isStopping) return;
        if (part.dueAt > this.#context.clock.now()) continue;
        isIdle = false;
        yield* steps.step(part);
      }
      if (this.#isStopping) return;
      if (this.#mayPlan(steps, planner)) {
        const part = yield* this.#plan(planner);
        if (part !== undefined) this.#parts.push(part);
        if (part !== undefined || planner.isDone) isIdle = false;
      }
      if (!isInputSeen && isIdle && steps.ending === undefined) {
        // There may be nothing to wait for, or a record that has changed.
        isInputSeen = true;
        await planner.isExhausted();
      }
      if (this.#isFinished(steps, planner)) return;
      if (isIdle) await this.#sleep(steps, planner);
    }
  }

  async *#plan(planner: PartPlanner): AsyncGenerator<Outcome[], LivePart | undefined> {
    const room = this.#limits.room(this.#live)!;
    this.#isBudgetReady = false;
    const part = yield* planner.plan(room, (model) => this.#canary!.maxRows(model));
    if (!planner.isWaiting) this.#isBudgetReady = true;
    return part;
  }

  /** Whether another part can be submitted now. Until then, no more records are pulled. */
  #mayPlan(steps: PartSteps, planner: PartPlanner): boolean {
    const live = this.#live;
    return steps.ending === undefined && !planner.isDone && this.#isBudgetReady &&
      !this.#limits.isPaused && !live.some(({ isUnsent }) => isUnsent) &&
      !this.#canary!.isWaiting(live) && this.#limits.allowsJob(live) &&
      this.#limits.room(live) !== undefined;
  }

  #isFinished(steps: PartSteps, planner: PartPlanner): boolean {
    const live = this.#live;
    const isPlanned = planner.isDone || steps.ending !== undefined;
    if (live.length === 0 && isPlanned) return true;
    if (this.#context.options.wait !== false || steps.ending !== undefined) return false;
    const isWaitingForValidation = !isPlanned && this.#canary!.isWaiting(live);
    return !isWaitingForValidation && !this.#mayPlan(steps, planner) &&
      live.every((part) => this.#canBeLeft(part));
  }

  /** Whether a part needs nothing from this run if it doesn't wait. */
  #canBeLeft(part: LivePart): boolean {
    if (part.isUnsent) {
      return part.activity === "waiting for quota" || !this.#limits.allowsJob(this.#live);
    }
    if (part.state.phase !== "submitted" || needsRows(part, this.#context)) return false;
    return part.isPolled || part.creates > 0 || part.failures > 0;
  }

  /** Begins to cancel everything once the user or the deadline wants it. */
  #checkEnding(steps: PartSteps): void {
    if (steps.ending !== undefined) return;
    const { store, options, time } = this.#context;
    const live = this.#live;
    for (const { state: { submittedAt } } of live) {
      if (submittedAt === undefined) continue;
      this.#firstSubmission = Math.min(this.#firstSubmission ?? Infinity, submittedAt);
    }
    if (store.isCancelRequested()) this.#cancelled = true;
    const end = (this.#firstSubmission ?? Infinity) + (options.deadline ?? Infinity) * 1000;
    if (time >= end) this.#deadlineReached = true;
    if (!this.#cancelled && !this.#deadlineReached) return;
    const why = steps.ending = this.#cancelled ? "user" : "deadline";
    const jobs = live.filter(({ isAtProvider }) => isAtProvider).length;
    if (jobs > 0) this.#context.note(cancellingNote(jobs, why));
    for (const part of live) part.dueAt = this.#context.clock.now();
  }

  #recordChanged(record: IndexedRecord): void {
    if (!this.#context.options.rerunChanged) throw this.#earlier.changedError(record);
    this.#changed++;
  }

  /** Waits until a step is due, or something has happened. */
  async #sleep(steps: PartSteps, planner: PartPlanner): Promise<void> {
    const { clock, store } = this.#context;
    const due = this.#live.map(({ dueAt }) => dueAt);
    if (!planner.isDone && this.#limits.isPaused) due.push(this.#limits.pausedUntil);
    const until = Math.min(...due);
    let isWoken = false;
    while (!isWoken && !this.#isStopping && clock.now() < until) {
      const [before, timeBefore] = [clock.now(), this.#context.time];
      const waking = new AbortController();
      this.#wake = () => {
        isWoken = true;
        waking.abort();
      };
      await clock.sleep(Math.min(TICK, until - before), waking.signal).catch(() => {});
      this.#wake = () => {};
      const isEnding = steps.ending !== undefined;
      if (!isEnding && (store.isCancelRequested() || this.#isDeadlineOver)) return;
      const slept = this.#context.time - timeBefore - (clock.now() - before);
      if (slept > SLEPT) return this.#pollAll();
    }
  }

  get #isDeadlineOver(): boolean {
    const { deadline } = this.#context.options;
    if (deadline === undefined || this.#firstSubmission === undefined) return false;
    return this.#context.time >= this.#firstSubmission + deadline * 1000;
  }

  /** Makes every step due: after a long sleep of the computer, much may have happened. */
  #pollAll(): void {
    for (const part of this.#live) part.dueAt = this.#context.clock.now();
  }
}
