/**
 * Holds the lock of a job, so that only one process coordinates it.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import process from "node:process";
import { ConfigurationError } from "../../errors.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { FleetKeys, JOB_TTL, type JobKeys } from "../job_keys.ts";
import { HOLD_LOCK, RELEASE_LOCK } from "../job_scripts.ts";

/** Milliseconds after which the lock of a coordinator that gives no sign of life expires. */
export const LOCK_TTL = 10_000;
/** Milliseconds between two looks at a lock that another process has. */
const LOOK_INTERVAL = 500;

/** The lock of one job. */
export class JobLock {
  readonly owner: string = `${hostname()} ${process.pid} ${randomUUID()}`;
  readonly #connection: RedisConnection;
  readonly #keys: JobKeys;
  readonly #job: string;

  constructor(connection: RedisConnection, keys: JobKeys, job: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#job = job;
  }

  /**
   * Takes the lock. Waits for the one of a process that was killed.
   *
   * @throws {ConfigurationError} if a living process has it
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async acquire(clock: Clock = systemClock, onWait: (holder: string) => void = () => {}) {
    let last = Infinity;
    let isFirst = true;
    while (true) {
      const [state, holder, left] = await this.#hold(0);
      if (state !== 0) return;
      // Its holder has renewed it.
      if (left! > last) throw this.#held(holder!);
      if (isFirst) onWait(describe(holder!));
      isFirst = false;
      last = left!;
      await clock.sleep(Math.max(50, Math.min(LOOK_INTERVAL, left!)));
    }
  }

  /**
   * Renews the lock, and reports that the job lives. Returns whether it had expired, so that the job may be gone.
   *
   * @throws {ConfigurationError} if another process has taken it meanwhile
   */
  async renew(finished: number): Promise<boolean> {
    const [state, holder] = await this.#hold(finished);
    if (state === 0) throw this.#held(holder!);
    return state === 2;
  }

  /** Gives the lock back. */
  async release(): Promise<void> {
    await this.#connection.run(RELEASE_LOCK, [this.#keys.lock], [this.owner]);
  }

  async #hold(finished: number): Promise<[state: number, holder?: string, left?: number]> {
    const { lock, state, spec, work, done } = this.#keys;
    const { jobs } = new FleetKeys(this.#connection);
    const args = [this.owner, LOCK_TTL, this.#job, JOB_TTL, finished];
    const reply = this.#connection.run(HOLD_LOCK, [lock, jobs, state, spec, work, done], args);
    return await reply as [number, string?, number?];
  }

  #held(holder: string): ConfigurationError {
    return new ConfigurationError(
      `job ${this.#job} is already being run by ${describe(holder)}`,
      { hint: "Wait for it, stop it, or choose another name with --job." },
    );
  }
}

/** The holder in words. */
function describe(holder: string): string {
  const [host, pid] = holder.split(" ");
  return `process ${pid} on ${host}`;
}
