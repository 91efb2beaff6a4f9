/**
 * Represents the job in Redis: creates it, keeps its lock, sets its phase and ends it.
 *
 * @module
 */
import { hostname } from "node:os";
import process from "node:process";
import { loadFingerprint } from "../../batch/journal/fingerprint.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { systemClock } from "../../runtime/clock.ts";
import { VERSION } from "../../version.ts";
import { checkJobId, generationOf } from "../job_id.ts";
import { ENDED_TTL, FleetKeys, GROUP, JOB_TTL, JobKeys } from "../job_keys.ts";
import { END_JOB, OPEN_JOB } from "../job_scripts.ts";
import { FLEET_PROTOCOL, type JobSpec } from "../job_spec.ts";
import type { CoordinatorOptions } from "./coordinator_options.ts";
import { refuseForeignAnswers } from "./foreign_answers.ts";
import { JobLock } from "./job_lock.ts";

/** Seconds after which the records of a silent worker go to others. */
const LEASE = 60;

/** What workers do: `stopping` takes no more records, `closing` aborts those in flight. */
export type JobPhase = "stopping" | "closing";

/** A job that this process coordinates. */
export class StoredJob {
  readonly keys: JobKeys;
  readonly spec: JobSpec;
  readonly #connection: RedisConnection;
  readonly #lock: JobLock;

  private constructor(connection: RedisConnection, keys: JobKeys, spec: JobSpec, lock: JobLock) {
    this.#connection = connection;
    this.keys = keys;
    this.spec = spec;
    this.#lock = lock;
  }

  /**
   * Takes the lock of a job; {@link create} must follow.
   *
   * @throws {ConfigurationError} if another process runs the job
   * @throws {RedisUnavailableError} if Redis cannot be used
   */
  static async lock(options: CoordinatorOptions): Promise<StoredJob> {
    const { connection, job, request, inputId, input, total, lease = LEASE, onNote } = options;
    checkJobId(job);
    await loadFingerprint();
    const generation = generationOf(request, inputId);
    const keys = new JobKeys(connection, job, generation);
    const lock = new JobLock(connection, keys, job);
    await lock.acquire(
      systemClock,
      (holder) =>
        onNote?.(`Job ${job} was last run by ${holder}; waiting up to 10 s for it to end.`),
    );
    const spec: JobSpec = {
      ...request,
      protocol: FLEET_PROTOCOL,
      version: VERSION,
      id: job,
      generation,
      lease,
      host: hostname(),
      pid: process.pid,
      input,
      total,
    };
    return new StoredJob(connection, keys, spec, lock);
  }

  /**
   * Checks that nothing of another batch is lost by {@link create}.
   *
   * @throws {ConfigurationError} if a batch with this name has answers that were not collected
   */
  async refuseForeignAnswers(): Promise<void> {
    await refuseForeignAnswers(this.#connection, this.keys, this.spec);
  }

  /** Creates the job, or continues the one that an earlier run has left. */
  async create(): Promise<void> {
    const { spec, state, work, done, streams } = this.keys;
    await this.#connection.run(OPEN_JOB, [spec, state, work, done], [
      JSON.stringify(this.spec),
      this.spec.generation,
      GROUP,
      JOB_TTL,
      streams,
    ]);
  }

  /**
   * Renews the lock. Returns whether it had expired, so that the job may be gone.
   *
   * @throws {ConfigurationError} if another process has taken it meanwhile
   */
  renewLock(finished: number): Promise<boolean> {
    return this.#lock.renew(finished);
  }

  /** Reports to the workers that no more records follow. */
  async setPhase(phase: JobPhase): Promise<void> {
    await this.#connection.command(["HSET", this.keys.state, "phase", phase]);
  }

  /** Reports to the workers that the records were compared since this run of the server began. */
  async setCompared(serverRun: string): Promise<void> {
    await this.#connection.command(["HSET", this.keys.state, "run", serverRun]);
  }

  /** Gives the lock back, and leaves the job to the next run. */
  async release(): Promise<void> {
    await this.#lock.release();
  }

  /** Deletes the job, and gives the lock back. */
  async end(): Promise<void> {
    const { spec, state, lock, work, done } = this.keys;
    const { jobs } = new FleetKeys(this.#connection);
    const { id } = this.spec;
    await this.#connection.run(END_JOB, [spec, state, lock, work, done, jobs], [
      id,
      ENDED_TTL,
      this.#lock.owner,
    ]);
  }
}
