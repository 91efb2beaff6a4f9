/**
 * Names the keys of a fleet in Redis.
 *
 * @module
 */
import type { RedisConnection } from "../redis/redis_connection.ts";

/** The consumer group of the workers. */
export const GROUP = "workers";
/** Milliseconds for which a job stays in Redis after its last sign of life: time to run its command again. */
export const JOB_TTL = 7 * 24 * 60 * 60 * 1000;
/** Milliseconds for which it is remembered that a job has ended. */
export const ENDED_TTL = 60 * 60 * 1000;

/** The keys of all jobs and workers. */
export class FleetKeys {
  /** Sorted set: jobs, by the time of their last sign of life. */
  readonly jobs: string;
  /** Sorted set: workers, by the time of their last report. */
  readonly workers: string;
  /** Hash: the reports of the workers. */
  readonly reports: string;

  constructor(connection: Pick<RedisConnection, "key">) {
    this.jobs = connection.key("jobs");
    this.workers = connection.key("workers");
    this.reports = connection.key("workers", "reports");
  }
}

/** The keys of one job. */
export class JobKeys {
  /** String: the {@link JobSpec} as JSON. */
  readonly spec: string;
  /** Hash: the phase of the job, and what its coordinator reports. */
  readonly state: string;
  /** String: who coordinates the job. It expires unless it is renewed. */
  readonly lock: string;
  /** Stream: records for the workers. */
  readonly work: string;
  /** Stream: groups of results for the coordinator. */
  readonly done: string;
  /** What the keys of both streams begin with, before the generation. */
  readonly streams: string;
  readonly #connection: Pick<RedisConnection, "key">;
  readonly #id: string;

  /** @param generation see {@link JobSpec.generation}: each has its own streams */
  constructor(connection: Pick<RedisConnection, "key">, id: string, generation: string) {
    this.#connection = connection;
    this.#id = id;
    this.streams = connection.key("job", id, "");
    this.spec = connection.key("job", id, "spec");
    this.state = connection.key("job", id, "state");
    this.lock = connection.key("job", id, "lock");
    this.work = `${this.streams}${generation}:work`;
    this.done = `${this.streams}${generation}:done`;
  }

  /** String: the records that a worker still has after Redis has lost its data. */
  held(worker: string): string {
    return this.#connection.key("job", this.#id, "held", worker);
  }
}
