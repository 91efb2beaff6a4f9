/**
 * Holds what the parts of a coordinator share: the open records, the streams, and whether the run continues.
 *
 * @module
 */
import { ConfigurationError } from "../../errors.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import type { CoordinatorOptions } from "./coordinator_options.ts";
import type { FleetCounts } from "../fleet_status.ts";
import { Leftovers } from "./leftovers.ts";
import { OpenRecords } from "./open_records.ts";
import { ResultReader } from "./result_reader.ts";
import type { StoredJob } from "./stored_job.ts";
import { WorkStream } from "./work_stream.ts";
import { WorkerRoster } from "./worker_roster.ts";

/** One run of a job. */
export class JobRun {
  readonly connection: RedisConnection;
  readonly job: StoredJob;
  readonly work: WorkStream;
  readonly results: ResultReader;
  readonly roster: WorkerRoster;
  readonly open: OpenRecords = new OpenRecords();
  readonly leftovers: Leftovers = new Leftovers();
  readonly counts: FleetCounts = {
    duplicates: { answers: 0, cost: 0, unpriced: 0 },
    reassigned: 0,
    hedged: 0,
    left: { records: 0, answers: 0 },
  };
  /** Records that are answered, earlier runs included. */
  finished: number;
  /** Whether records may be missing in Redis. */
  mayLackRecords = false;
  /** Whether the job itself may be missing in Redis. */
  mayLackJob = false;
  /** Whether the streams begin from the start. */
  hasNewStreams = false;
  isStopping = false;
  isAborted = false;
  /** Whether the records that no worker has were taken back, once the run stops. */
  isWithdrawn = false;
  /** Whether another process has taken the job. */
  isReplaced = false;
  /** Why the run ends early. */
  failure: { error: unknown } | undefined;
  /** Called once, when the run begins to stop. */
  onStop: () => void = () => {};
  readonly #ending = new AbortController();
  readonly #stopped = Promise.withResolvers<{ done: true; value: undefined }>();
  readonly #onNote: CoordinatorOptions["onNote"];
  #wake: () => void = () => {};

  constructor({ connection, done = 0, onNote }: CoordinatorOptions, job: StoredJob) {
    this.connection = connection;
    this.job = job;
    this.finished = done;
    this.#onNote = onNote;
    this.work = new WorkStream(connection, job.keys);
    this.results = new ResultReader(connection, job.keys);
    const { id, lease } = job.spec;
    this.roster = new WorkerRoster(connection, job.keys, id, ({ name, age }) =>
      this.note(
        `Worker ${name} has been silent for ${Math.round(age)} s; ` +
          `its records go to others after ${lease} s.`,
      ));
  }

  /** Aborted when the run has ended. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Resolves when the run begins to stop. */
  get stopped(): Promise<{ done: true; value: undefined }> {
    return this.#stopped.promise;
  }

  /** Reports what happened, in a sentence. */
  note(text: string): void {
    if (!this.signal.aborted) this.#onNote?.(text);
  }

  /** Waits for {@link wake}. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Lets the run look at what has changed. */
  wake(): void {
    this.#wake();
  }

  /** Takes no more records, and collects what is in progress. */
  stop(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.#stopped.resolve({ done: true, value: undefined });
    this.onStop();
    this.wake();
  }

  /** Ends the run with an error, after what is in progress. */
  fail(error: unknown): void {
    this.failure ??= { error };
    this.stop();
  }

  /** After an unreachable server, the records are compared with Redis; any other error ends the run. */
  handleFailure(error: unknown): void {
    this.mayLackRecords = true;
    if (!(error instanceof RedisUnavailableError) && !this.signal.aborted) this.fail(error);
  }

  /** Stops all parts. */
  end(): void {
    this.#ending.abort();
    this.wake();
  }

  /**
   * Renews the lock. If another process has taken it, this run ends and leaves the job to that one.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async holdsLock(): Promise<boolean> {
    try {
      if (await this.job.renewLock(this.finished)) this.mayLackJob = this.mayLackRecords = true;
      return true;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.failure ??= { error };
      this.isReplaced =
        this.isStopping =
        this.isWithdrawn =
        this.isAborted =
          true;
      this.#stopped.resolve({ done: true, value: undefined });
      this.wake();
      return false;
    }
  }
}
