/**
 * Coordinates a job of a fleet: hands the records of a batch to workers and collects their results.
 *
 * Only a bounded window of records is in Redis. The result file is the truth: a result stays in Redis until it is on
 * disk, and after any failure of Redis the window is compared with what is left there.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import type { Executor, IndexedRecord, Outcome } from "../../batch/executor.ts";
import { reportLoss } from "../../redis/loss_notice.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { FleetView } from "../fleet_status.ts";
import type { CoordinatorOptions } from "./coordinator_options.ts";
import { hedgeStragglers } from "./hedging.ts";
import { collectSecondCopies, withdrawRecords } from "./job_ending.ts";
import { JobRun } from "./job_run.ts";
import { Reconciler } from "./reconciler.ts";
import { MIN_WINDOW, RecordFeed } from "./record_feed.ts";
import { Resender } from "./resender.ts";
import { ResultCollector } from "./result_collector.ts";
import { StoredJob } from "./stored_job.ts";
import { isAnswered } from "../work_result.ts";
import { StragglerWatch } from "./straggler_watch.ts";

/** Milliseconds between two heartbeats. */
const BEAT = 1000;
/** Milliseconds before results are read again after a failure. */
const RETRY_DELAY = 250;
/** Milliseconds before results are read again while too many outcomes wait. */
const FULL_DELAY = 10;

/** Hands records to the workers of one job. */
export class Coordinator implements Executor {
  readonly concurrency: number;
  /** The id of the job. */
  readonly job: string;
  readonly #hedge: boolean;
  readonly #run: JobRun;
  readonly #stragglers = new StragglerWatch();
  readonly #resender: Resender;
  readonly #collector: ResultCollector;
  readonly #feed: RecordFeed;
  readonly #reconciler: Reconciler;
  /** Only one of both at a time, and only once. */
  #filling: Promise<void> | undefined;
  #reconciling: Promise<void> | undefined;
  #beating: ReturnType<typeof setInterval> | undefined;
  #isComplete = false;
  #isClosed = false;
  readonly #unwatch: () => void;

  private constructor(options: CoordinatorOptions, job: StoredJob) {
    const { connection, concurrency = MIN_WINDOW, hedge = false, onLoss } = options;
    this.#hedge = hedge;
    this.job = job.spec.id;
    this.concurrency = concurrency;
    const run = this.#run = new JobRun(options, job);
    this.#resender = new Resender(run);
    this.#collector = new ResultCollector(run, this.#resender, this.#stragglers);
    this.#feed = new RecordFeed(run, this.#collector);
    this.#reconciler = new Reconciler(run, this.#collector, this.#resender);
    run.onStop = () => void withdrawRecords(run, () => this.#settled());
    const unreport = onLoss && reportLoss(connection, onLoss, "the batch waits for it");
    const unwatch = connection.watch({
      onReset: () => {
        run.mayLackJob = run.hasNewStreams = run.mayLackRecords = true;
        run.wake();
      },
      // It may have lost the last seconds, or hours.
      onRestart: () => run.mayLackJob = true,
      onUp: () => {
        run.mayLackRecords = true;
        run.wake();
      },
    });
    this.#unwatch = () => {
      unreport?.();
      unwatch();
    };
  }

  /**
   * Creates a job, or continues the one that an earlier run has left.
   *
   * @throws {ConfigurationError} if another process runs the job, or another batch of the same name has answers
   * @throws {RedisUnavailableError} if Redis cannot be used
   */
  static async open(options: CoordinatorOptions): Promise<Coordinator> {
    const job = await StoredJob.lock(options);
    const coordinator = new Coordinator(options, job);
    try {
      await job.refuseForeignAnswers();
      await job.create();
      await coordinator.#beat();
    } catch (error) {
      await coordinator.close();
      throw error;
    }
    return coordinator;
  }

  get retries(): number {
    return this.#run.results.retries;
  }

  get hasHealthyEndpoint(): boolean {
    return this.#run.roster.usable.some(({ isHealthy }) => isHealthy);
  }

  /** What is known about the fleet. */
  get view(): FleetView {
    const { counts, roster, connection } = this.#run;
    return {
      ...counts,
      duplicates: { ...counts.duplicates },
      left: { ...counts.left },
      workers: roster.live,
      contributors: roster.contributors,
      refusals: roster.refusals,
      isConnected: connection.isUp,
    };
  }

  async *run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<Outcome[], void, void> {
    const run = this.#run;
    this.#feed.start(records);
    this.#startBeating();
    try {
      await this.#reconciler.takeOver();
      void this.#readResults();
      while (!run.isAborted) {
        this.#proceed();
        if (this.#collector.hasOutcomes) {
          const ready = this.#collector.takeOutcomes();
          yield ready.map(({ outcome }) => outcome);
          for (const { group } of ready) if (group !== undefined) run.results.written(group);
        } else if (this.#isFinished()) break;
        else await run.changed();
      }
      if (!run.isAborted && run.connection.isUp) {
        // Workers may have joined since the last look.
        await run.roster.refresh().catch(() => {});
        await collectSecondCopies(run, this.#collector);
      }
      this.#isComplete = !run.isAborted && run.open.count === 0;
      if (run.failure !== undefined) throw run.failure.error;
    } finally {
      run.end();
      this.#feed.close();
    }
  }

  stop(): void {
    this.#run.stop();
  }

  abort(): void {
    this.#run.stop();
    this.#run.isAborted = true;
    this.#run.wake();
  }

  /** Counts what a run that was stopped has left in Redis. Call it once the worker of this process has ended. */
  async countLeft(): Promise<void> {
    const run = this.#run;
    if (this.#isComplete || run.isReplaced) return;
    const waiting = this.#collector.waiting + run.leftovers.resultCount;
    try {
      const groups = await run.results.drain();
      const answers = groups.flatMap(({ results }) => results).filter(isAnswered).length;
      run.counts.left = { records: await run.work.countPending(), answers: answers + waiting };
    } catch {
      run.counts.left = { records: Math.max(0, run.open.count), answers: waiting };
    }
  }

  /**
   * Ends the job in Redis, unless workers still have records of it: their results wait for the next run. Call it once
   * the result file is closed.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#beating);
    this.#run.end();
    this.#unwatch();
    this.#run.results.close();
    try {
      if (this.#isComplete) await this.#run.job.end();
      else {
        const trim = this.#run.results.trim(true);
        if (trim !== undefined) await this.#run.connection.command(trim);
        await this.#run.job.release();
      }
    } catch {
      // It expires.
    }
  }

  #isFinished(): boolean {
    const { isStopping, isWithdrawn, open } = this.#run;
    if (this.#filling !== undefined || this.#reconciling !== undefined) return false;
    return open.count === 0 && (isStopping ? isWithdrawn : this.#feed.hasEnded);
  }

  /** Until it is closed: the batch may have other jobs, and its lock must not expire meanwhile. */
  #startBeating(): void {
    let isBeating = false;
    this.#beating = setInterval(() => {
      if (isBeating) return;
      isBeating = true;
      this.#beat().catch(() => {}).finally(() => isBeating = false);
    }, BEAT);
  }

  /** Renews the lock, deletes results that are on disk, and looks at the workers. */
  async #beat(): Promise<void> {
    const run = this.#run;
    if (!run.connection.isUp || !await run.holdsLock()) return;
    if (run.signal.aborted) return;
    const trim = run.results.trim();
    if (trim !== undefined) await run.connection.command(trim);
    await run.roster.refresh();
    this.#feed.resizeWindow();
    if (this.#hedge && this.#feed.hasEnded && !run.isStopping) {
      await hedgeStragglers(run, this.#stragglers, this.#resender);
    }
    if (run.open.count > 0 && this.#reconciler.isDue) run.mayLackRecords = true;
    // Once the batch stops, the records of lost workers are left to the next run.
    if (run.isStopping && run.isWithdrawn && run.roster.live.length === 0) run.open.clear();
    run.wake();
  }

  /** Starts what can be done now. */
  #proceed(): void {
    const run = this.#run;
    if (this.#reconciling !== undefined || !run.connection.isUp) return;
    if (run.mayLackRecords) {
      run.mayLackRecords = false;
      this.#reconciling = this.#reconcile().finally(() => {
        this.#reconciling = undefined;
        run.wake();
      });
      return;
    }
    if (this.#filling !== undefined || !this.#feed.hasRoom) return;
    this.#filling = this.#feed.fill().catch((error) => run.handleFailure(error)).finally(() => {
      this.#filling = undefined;
      run.wake();
    });
  }

  async #reconcile(): Promise<void> {
    try {
      await this.#filling;
      await this.#reconciler.reconcile();
    } catch (error) {
      this.#run.handleFailure(error);
    }
  }

  /** Waits until no records are being added. */
  async #settled(): Promise<void> {
    await this.#filling;
    await this.#reconciling;
  }

  async #readResults(): Promise<void> {
    const run = this.#run;
    const { signal } = run;
    while (!signal.aborted) {
      try {
        if (this.#collector.isFull) await systemClock.sleep(FULL_DELAY, signal);
        else this.#collector.handle(await run.results.next());
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof RedisUnavailableError)) run.fail(error);
        await systemClock.sleep(RETRY_DELAY, signal).catch(() => {});
      }
    }
  }
}
