/**
 * Takes the next step of a part: submits it, looks for its job, polls it or collects its results.
 *
 * @module
 */
import { isFinal } from "../../batch_api/batch_api.ts";
import { AuthenticationError, ConnectionError } from "../../errors.ts";
import { isNotFound } from "../../batch_api/read_json.ts";
import { abortable } from "../../runtime/abortable.ts";
import type { Outcome } from "../executor.ts";
import type { Canary } from "./canary.ts";
import { Collection, RowHistory } from "./collection.ts";
import { collectionNotes } from "./collection_notes.ts";
import { retryAfter } from "./create_failure.ts";
import { deleteFiles } from "./delete_files.ts";
import type { EarlierRows } from "./earlier_rows.ts";
import { findJob } from "./find_job.ts";
import type { JobContext } from "./job_context.ts";
import {
  expiringNote,
  foreignJobNote,
  goneError,
  noAnswerError,
  quotaNote,
  unreadableError,
  unusableError,
} from "./job_notes.ts";
import type { LivePart } from "./live_part.ts";
import type { PendingRows } from "./pending_rows.ts";
import { cancelPart, pollPart } from "./poll_part.ts";
import { Refusals } from "./refusals.ts";
import type { SubmissionLimits } from "./submission_limits.ts";
import { fillPart, needsRows, submitPart } from "./submit_part.ts";

/** Maximum creates of one part in a run. */
const MAX_CREATES = 3;
/** Connections in a row that fail before nothing more is sent: about ten minutes. */
const MAX_FAILURES = 8;
/** How often results are read again if some are missing, and if all are. */
const MAX_REREADS = 2;
const MAX_EMPTY_READS = 5;
/** Downloads that break off without any new result, after which the run ends. */
const MAX_BROKEN_DOWNLOADS = 10;
/** The same if the provider says that there are no results: about two minutes. */
const MAX_MISSING_DOWNLOADS = 5;
/** The share of the time that results are kept after which a warning is due. */
const EXPIRY_SHARE = 0.8;

/** What the steps of a run share, besides its context. */
export interface PartStepsOptions {
  canary: Canary;
  limits: SubmissionLimits;
  rows: PendingRows;
  earlier: EarlierRows;
  /** All parts that are not finished. */
  live: () => readonly LivePart[];
}

/** Takes the steps of one run's parts. */
export class PartSteps {
  readonly #context: JobContext;
  readonly #options: PartStepsOptions;
  readonly #refusals: Refusals;
  readonly #history = new RowHistory();
  readonly #warned = new Set<string>();
  /** Why all parts are cancelled, if they are. */
  ending: "user" | "deadline" | undefined;
  /** Rows that were sent again after a temporary failure. */
  retries = 0;
  /** Records that are not sent again because the run is ending. */
  left = 0;

  constructor(context: JobContext, options: PartStepsOptions) {
    this.#context = context;
    this.#options = options;
    this.#refusals = new Refusals(context, options.canary, options.limits);
  }

  /** Takes one step of a part, and schedules the next one. Yields outcomes of records. */
  async *step(part: LivePart): AsyncGenerator<Outcome[], void> {
    const { phase } = part.state;
    if (part.isUnsent) yield* this.#submit(part);
    else if (part.isUnclear) yield* this.#find(part);
    else if (phase === "submitted") yield* this.#poll(part);
    else if (phase === "ended") yield* this.#collect(part);
    this.#options.canary.observe(part);
  }

  /** Gives up a part whose job is unclear or lost: its money counts as spent, its rows are sent again. */
  abandon(part: LivePart, why: string, left?: readonly number[]): void {
    if (part.state.phase !== "abandoned") part.log({ type: "abandoned", why });
    const { model, endpoint } = part.state;
    part.money.commit({ model, endpoint, usage: null, cost: null, isLost: true });
    this.#requeue(part, left);
  }

  async *#submit(part: LivePart): AsyncGenerator<Outcome[], void> {
    const { limits, live } = this.#options;
    if (this.ending !== undefined) return this.#drop(part, "cancelled before it was sent");
    if (!limits.allowsJob(live().filter((other) => other !== part))) return part.wait(5);
    if (part.activity === "waiting for quota") part.show(undefined);
    yield* this.#create(part);
  }

  async *#create(part: LivePart): AsyncGenerator<Outcome[], void> {
    const submission = await submitPart(part, this.#context);
    if (submission.kind === "submitted") this.#options.limits.accepted();
    const isUnreachable = part.failures >= MAX_FAILURES &&
      part.lastError instanceof ConnectionError;
    if (submission.kind === "later" && isUnreachable) {
      // While jobs are live, there is something to wait for.
      if (!this.#others(part).some(({ isAtProvider }) => isAtProvider)) throw part.lastError;
    }
    if (submission.kind === "quota") this.#quotaRefused(part, submission.problem.message);
    if (submission.kind === "invalid") yield* this.#refused(part, [submission.problem]);
  }

  #quotaRefused(part: LivePart, message: string): void {
    const { limits, live } = this.#options;
    part.problem = message;
    const isSplit = limits.refused(part, live());
    if (!limits.isStillFull) this.#context.note(quotaNote(part.state, message));
    if (isSplit) this.#drop(part, "too large for the provider's queue");
  }

  async *#find(part: LivePart): AsyncGenerator<Outcome[], void> {
    const { options } = this.#context;
    const found = await findJob(part, this.#context);
    if (found === "found" || this.#context.stopping.signal.aborted) return;
    // What --resend gives up is a create of an earlier run; one of this run is looked for first.
    const isGivenUp = options.resend && part.creates === 0 && (found === "none" || part.looks > 1);
    if (isGivenUp) return this.abandon(part, "no job was found (--resend)");
    if (found === "waiting") return;
    if (this.ending !== undefined) return this.#drop(part, "cancelled, and no job was found");
    if (part.creates >= MAX_CREATES) throw noAnswerError(part.state, part.creates);
    if (!this.#options.limits.allowsJob(this.#others(part))) return part.wait(15);
    yield* this.#create(part);
  }

  #others(part: LivePart): LivePart[] {
    return this.#options.live().filter((other) => other !== part);
  }

  async *#poll(part: LivePart): AsyncGenerator<Outcome[], void> {
    // An earlier run may have been killed before it sent the cancellation that it has logged.
    const cancelling = this.ending ?? part.state.cancelling;
    if (cancelling !== undefined && !part.isCancelRequested && part.isPolled) {
      await cancelPart(part, this.#context, cancelling);
      const isEmpty = needsRows(part, this.#context) && !part.state.job?.rows;
      if (isEmpty) this.#drop(part, "cancelled before it had rows");
      return;
    }
    if (part.isPolled || part.creates > 0) {
      if (this.ending === undefined && needsRows(part, this.#context)) {
        const problem = await fillPart(part, this.#context);
        if (problem !== undefined) yield* this.#refused(part, [problem]);
        return;
      }
    }
    const { phase } = part.state;
    await pollPart(part, this.#context);
    if (part.state.phase === "abandoned") return this.abandon(part, "");
    const isUncancelled = cancelling !== undefined && !part.isCancelRequested && part.isPolled;
    if (isUncancelled && part.state.phase === "submitted" && part.failures === 0) part.wait(0);
    if (phase !== part.state.phase) this.#options.limits.freed(this.#options.live());
    this.#warnOfExpiry(part);
  }

  #warnOfExpiry({ name, state: { job, submittedAt } }: LivePart): void {
    const end = job?.resultsExpireAt;
    const start = job?.createdAt ?? submittedAt;
    if (end === undefined || start === undefined || this.#warned.has(name)) return;
    const { time } = this.#context;
    if (time < start + (end - start) * EXPIRY_SHARE) return;
    this.#warned.add(name);
    this.#context.note(expiringNote(job!, end, time));
  }

  async *#collect(part: LivePart): AsyncGenerator<Outcome[], void> {
    const job = part.state.job!;
    this.#warnOfExpiry(part);
    const collection = part.collection ??= new Collection(part.state, this.#context, {
      history: this.#history,
      isDone: (index) => this.#isDone(index),
    });
    const before = collection.seen;
    try {
      for await (const outcomes of collection.read(job)) {
        if (outcomes.length > 0) yield this.#marked(outcomes);
      }
    } catch (error) {
      if (this.#context.isStop(error)) return;
      if (error instanceof AuthenticationError) throw error;
      if (collection.seen > before) part.failures = 0;
      part.failed(error, retryAfter(error));
      const isGone = isNotFound(error);
      if (isGone && this.#context.options.resend) return this.#giveUpResults(part, collection);
      if (isGone && part.failures > MAX_MISSING_DOWNLOADS) throw goneError(part.state, error);
      if (part.failures > MAX_BROKEN_DOWNLOADS) throw unreadableError(part.state, part.problem!);
      return;
    }
    part.succeeded();
    // What a label finds is the job of the part, whatever its results are.
    const mayBeOther = this.#context.client.api.foundBy === "nothing"
      ? part.state.adopted !== undefined
      : part.state.adopted === "user";
    if (collection.isForeign && mayBeOther) {
      return this.#rejectForeign(part, collection);
    }
    if (collection.isDoubtful(job) && await this.#reread(part, collection)) return;
    if (collection.isUnusable(job)) {
      // A job of this run is not given up: the next one may be no better, and each is billed.
      if (!this.#context.options.resend || part.creates > 0) {
        throw unusableError(part.state, collection);
      }
      collection[Symbol.dispose]();
      part.collection = undefined;
      return this.abandon(part, "its results cannot be used (--resend)");
    }
    if (job.status === "failed" && collection.seen === 0) {
      return yield* this.#refused(part, job.problems ?? []);
    }
    // Not while it runs: a job may also fail then, again and again.
    if (collection.seen > 0) this.#refusals.accepted();
    const missing = collection.settleMissing(job);
    if (missing.length > 0) yield this.#marked(missing);
    await this.#collected(part, collection);
  }

  /** The results were deleted: what was read of them counts, the other records are sent again. */
  #giveUpResults(part: LivePart, collection: Collection): void {
    const left = collection.records.indexes.filter((index) => !this.#isDone(index));
    collection[Symbol.dispose]();
    part.collection = undefined;
    this.abandon(part, "the results are gone (--resend)", left);
  }

  /** Schedules another download of results that may be late; false if that was tried often enough. */
  async #reread(part: LivePart, collection: Collection): Promise<boolean> {
    const { client: { api, http }, options, stopping } = this.#context;
    const most = collection.seen === 0 ? MAX_EMPTY_READS : MAX_REREADS;
    if (collection.rereads >= most) return false;
    collection.rereads++;
    try {
      // The ids of the result files may have come later than the state.
      const job = await abortable(api.get(http, part.state.job!.id), stopping.signal);
      if (isFinal(job.status)) part.see(job);
    } catch {
      // What is known must do.
    }
    part.wait(options.pollInterval ?? this.#context.backoff(collection.rereads));
    return true;
  }

  /** Whether a record's outcome must not be yielded again. */
  #isDone(index: number): boolean {
    return this.#options.earlier.isYielded(index) ||
      (this.#context.options.isDone?.(index) ?? false);
  }

  #marked(outcomes: Outcome[]): Outcome[] {
    const { client } = this.#context;
    for (const outcome of outcomes) {
      this.#options.earlier.markYielded(outcome.record.index);
      client.report?.(outcome);
    }
    return outcomes;
  }

  /** Logs that the results are in the result file: the consumer of the outcomes has written them by now. */
  async #collected(part: LivePart, collection: Collection): Promise<void> {
    const job = part.state.job!;
    const { answered, failed, missing, left, decoded } = collection;
    // The reported cost of a job includes results that an earlier run has recorded.
    const isAllNew = answered + failed === decoded;
    const cost = isAllNew ? job.cost ?? collection.cost : collection.cost;
    part.log({ type: "collected", answered, failed, left: left.length, missing, cost });
    part.money.commit({ ...collection.charge, cost });
    const notes = collectionNotes(collection, job, this.ending === undefined);
    for (const note of notes) this.#context.note(note);
    this.retries += collection.temporary;
    collection[Symbol.dispose]();
    part.collection = undefined;
    this.#requeue(part, left);
    if (await deleteFiles(part, this.#context)) part.log({ type: "cleaned" });
  }

  /** The job that was adopted for the part turns out to be another one. */
  #rejectForeign(part: LivePart, collection: Collection): void {
    const job = part.state.job!;
    this.#context.note(foreignJobNote(job));
    collection[Symbol.dispose]();
    part.collection = undefined;
    part.foreignJobs.add(job.id);
    part.isPolled = false;
    part.looks = 0;
    part.log({ type: "unknown", error: `job ${job.id} has the results of other records` });
    part.wait(0);
  }

  /** Handles a job that the provider refused before anything ran. */
  async *#refused(
    part: LivePart,
    problems: Parameters<Refusals["refused"]>[1],
  ): AsyncGenerator<Outcome[], void> {
    let refusal;
    {
      using records = this.#context.store.records(part.state);
      refusal = this.#refusals.refused(part, problems, records, this.#options.live());
    }
    if (refusal.outcomes.length > 0) yield this.#marked(refusal.outcomes);
    part.collection?.[Symbol.dispose]();
    part.collection = undefined;
    await deleteFiles(part, this.#context);
    this.#drop(part, refusal.why, refusal.left);
  }

  /** Frees the rows of a part without a job, and sends them again unless the run is ending. */
  #drop(part: LivePart, why: string, left?: readonly number[]): void {
    part.log({ type: "dropped", why });
    part.money.release();
    this.#requeue(part, left);
  }

  /** Sends rows of a finished part again, unless the run is ending; without a list, all of them. */
  #requeue(part: LivePart, left: readonly number[] | undefined): void {
    const { store } = this.#context;
    const { state } = part;
    if (this.ending !== undefined) this.left += left?.length ?? state.rows;
    if (this.ending !== undefined || left?.length === 0) return store.release(state);
    const records = store.records(state);
    this.#options.rows.requeue(left ?? [...records.indexes], records, () => store.release(state));
  }
}
