/**
 * Sets up a run of provider jobs for the library: the parts of the result file, and their executor.
 *
 * @module
 */
import { AbortedError, TimeoutError } from "../../errors.ts";
import { systemClock } from "../../runtime/clock.ts";
import { JobExecutor } from "../executors/jobs.ts";
import type { RequestTemplate } from "../executors/live.ts";
import { type BatchInputs, toRecord } from "../inputs.ts";
import { checkJobOptions, type JobOptions } from "../job_options.ts";
import type { JobProvider } from "../job_provider.ts";
import type { Journal } from "../journal/journal.ts";
import { forgetReplaced } from "./forget_replaced.ts";
import { checkSingleModelParts } from "./held_parts.ts";
import { HeldRecords } from "./held_records.ts";
import { openPartStore } from "./open_part_store.ts";
import type { PartStore } from "./part_store.ts";

/** The options of a {@link JobRun}. */
export interface JobRunOptions {
  /** Path of the result file. */
  output: string;
  /** The result file, open. */
  journal: Journal;
  /** The options for every record. */
  request: RequestTemplate;
  jobs: JobOptions;
  rerunChanged?: boolean;
  /**
   * Whether to wait for the jobs.
   *
   * @default true
   */
  wait?: boolean;
}

/** One run of provider jobs. */
export class JobRun implements Disposable {
  readonly store: PartStore;
  readonly executor: JobExecutor;
  readonly #deadline: number | undefined;

  private constructor(store: PartStore, executor: JobExecutor, deadline: number | undefined) {
    this.store = store;
    this.executor = executor;
    this.#deadline = deadline;
  }

  /**
   * Opens the parts of a result file.
   *
   * @throws {ConfigurationError} if an option is invalid, or the client has no batch API
   * @throws {JournalError} if the parts cannot be read, or belong to several models
   */
  static async open(provider: JobProvider, options: JobRunOptions): Promise<JobRun> {
    const { output, journal, request, jobs, rerunChanged, wait } = options;
    checkJobOptions(jobs);
    const client = await provider.jobs(request);
    const store = await openPartStore(output);
    try {
      checkSingleModelParts(store.parts, output);
      forgetReplaced(store, journal);
      const executor = new JobExecutor({
        ...jobs,
        client,
        store,
        wait,
        rerunChanged,
        retryTimes: provider.retryTimes,
        isDone: (index) => journal.state(index) === "success",
        clock: systemClock,
      });
      return new JobRun(store, executor, jobs.deadline);
    } catch (error) {
      store[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Begins to submit `inputs`: withdraws an earlier request for cancellation and, if the inputs are an array, compares
   * all of them with the records that are at the provider.
   *
   * @throws {JournalMismatchError} at the first input that differs, unless `rerunChanged`
   */
  begin(inputs: BatchInputs, rerunChanged = false): void {
    this.store.clearCancelRequest();
    if (!Array.isArray(inputs) || rerunChanged) return;
    using held = new HeldRecords(this.store, undefined);
    if (held.parts.length === 0) return;
    for (const [index, input] of inputs.entries()) held.partOf({ index, ...toRecord(input) });
  }

  /**
   * Checks that a run without an error has not left records behind. Withdraws a request for cancellation that it
   * has carried out.
   *
   * @throws {TimeoutError} if the deadline ended it
   * @throws {AbortedError} if the jobs were cancelled
   */
  checkEnd(): void {
    const { cancelled, deadlineReached, isComplete } = this.executor;
    if (cancelled) this.store.clearCancelRequest();
    if (isComplete) return;
    if (cancelled) {
      throw new AbortedError("the jobs were cancelled before all records were done");
    }
    if (deadlineReached) {
      throw new TimeoutError(
        `the deadline of ${this.#deadline} s has passed before all records were done`,
        this.#deadline!,
        { hint: "Run the batch again to send the rest, live or as new jobs." },
      );
    }
  }

  [Symbol.dispose](): void {
    this.executor.releaseMoney();
    this.store[Symbol.dispose]();
  }
}
