/**
 * Finds the next job for a worker, and remembers which jobs it refuses.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import type { JobSpec } from "../job_spec.ts";
import { readRunningJobs } from "../read_fleet.ts";

/** A job that the worker does not work on for now. */
interface Refusal {
  generation: string;
  reason: string;
  /** When to try again, by `performance.now()`; `Infinity` if that cannot help. */
  until: number;
}

/** Finds jobs for one worker. */
export class JobFinder {
  readonly #connection: RedisConnection;
  readonly #only: string | undefined;
  readonly #refusals = new Map<string, Refusal>();
  #last: string | undefined;

  /** @param only the id of the only job to work on */
  constructor(connection: RedisConnection, only?: string) {
    this.#connection = connection;
    this.#only = only;
  }

  /** Why the worker refuses jobs, by their ids; `undefined` if it refuses none. */
  get refusals(): Record<string, string> | undefined {
    if (this.#refusals.size === 0) return undefined;
    return Object.fromEntries(Array.from(this.#refusals, ([id, { reason }]) => [id, reason]));
  }

  /** Refuses a job until a time, by `performance.now()`; forever by default. */
  refuse({ id, generation }: JobSpec, reason: string, until = Infinity): void {
    this.#refusals.set(id, { generation, reason, until });
  }

  /** Notes that the worker works on a job. */
  accept({ id }: JobSpec): void {
    this.#refusals.delete(id);
  }

  /** The next job that is not refused; `undefined` if there is none, or the server cannot be used. */
  async next(): Promise<JobSpec | undefined> {
    let jobs: JobSpec[];
    try {
      jobs = await readRunningJobs(this.#connection);
    } catch (error) {
      if (error instanceof RedisUnavailableError) return undefined;
      throw error;
    }
    for (const id of this.#refusals.keys()) {
      if (!jobs.some((spec) => spec.id === id)) this.#refusals.delete(id);
    }
    // In turn, if there are several.
    const after = jobs.findIndex(({ id }) => id === this.#last) + 1;
    const found = [...jobs.slice(after), ...jobs.slice(0, after)].find((job) => this.#takes(job));
    this.#last = found?.id ?? this.#last;
    return found;
  }

  /**
   * Whether there is a job besides this one that is not refused.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async hasOther({ id }: JobSpec): Promise<boolean> {
    if (this.#only !== undefined) return false;
    const jobs = await readRunningJobs(this.#connection);
    return jobs.some((job) => job.id !== id && !this.#refusals.has(job.id));
  }

  #takes({ id, generation }: JobSpec): boolean {
    if (this.#only !== undefined && id !== this.#only) return false;
    const refusal = this.#refusals.get(id);
    return refusal === undefined || refusal.generation !== generation ||
      refusal.until <= performance.now();
  }
}
