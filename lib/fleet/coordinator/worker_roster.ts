/**
 * Knows the workers of a job from their reports.
 *
 * @module
 */
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { FleetView, WorkerStatus } from "../fleet_status.ts";
import type { JobKeys } from "../job_keys.ts";
import { readWorkers, SILENT } from "../read_fleet.ts";

/** Milliseconds by which a report may be older than it seems: workers report once a second. */
const REPORT_DELAY = 1000;

/** The workers of one job. */
export class WorkerRoster {
  readonly #connection: RedisConnection;
  readonly #keys: JobKeys;
  readonly #job: string;
  #reports: WorkerStatus[] = [];
  /** When workers left because of an error, by their id. */
  readonly #departures = new Map<string, number>();
  /** Workers that have records of the job and have fallen silent. */
  readonly #silent = new Set<string>();
  /** The last reports of the workers that have sent results. */
  readonly #contributors = new Map<string, WorkerStatus | undefined>();
  readonly #onSilent: (worker: WorkerStatus) => void;

  /** @param onSilent called when a worker that has records of the job falls silent */
  constructor(
    connection: RedisConnection,
    keys: JobKeys,
    job: string,
    onSilent: (worker: WorkerStatus) => void,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#job = job;
    this.#onSilent = onSilent;
  }

  /**
   * Reads the reports of all workers.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async refresh(): Promise<void> {
    this.#reports = await readWorkers(this.#connection);
    for (const worker of this.#reports) {
      const { id, job, age, inFlight } = worker;
      if (this.#contributors.has(id)) this.#contributors.set(id, worker);
      if (age < SILENT) this.#silent.delete(id);
      else if (job === this.#job && inFlight > 0 && !this.#silent.has(id)) {
        this.#silent.add(id);
        this.#onSilent(worker);
      }
    }
  }

  /** The workers of the job that are not silent. */
  get live(): WorkerStatus[] {
    return this.#reports.filter(({ job, age }) => job === this.#job && age < SILENT);
  }

  /** The workers that take records. */
  get usable(): WorkerStatus[] {
    return this.live.filter(({ id, refusals, state, age }) =>
      state === "working" && refusals?.[this.#job] === undefined &&
      // A report from before it left says that it works.
      (this.#departures.get(id) ?? -Infinity) < performance.now() - age * 1000 - REPORT_DELAY
    );
  }

  /** Notes that a worker has sent results: it may leave before the next look. */
  contributed(id: string): void {
    if (this.#contributors.has(id)) return;
    const report = this.find(id);
    this.#contributors.set(id, report);
    if (report === undefined) this.refresh().catch(() => {});
  }

  /** The workers that have sent results. */
  get contributors(): WorkerStatus[] {
    return [...this.#contributors.values()].filter((report) => report !== undefined);
  }

  /** The live workers that refuse the job, or have left it because of an error. */
  get refusals(): FleetView["refusals"] {
    return this.#reports.filter(({ age }) => age < SILENT).flatMap(({ name, refusals }) => {
      const reason = refusals?.[this.#job];
      return reason === undefined ? [] : [{ worker: name, reason }];
    });
  }

  /** The report of a worker. */
  find(id: string): WorkerStatus | undefined {
    return this.#reports.find((worker) => worker.id === id);
  }

  /** Notes that a worker has left because of an error. */
  depart(id: string): void {
    this.#departures.set(id, performance.now());
  }

  /**
   * Reads which records workers still have after Redis has lost its data.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async readHeld(): Promise<Set<number>> {
    await this.refresh();
    const keys = this.#reports.map(({ id }) => this.#keys.held(id));
    const reports = await this.#connection.pipeline(keys.map((key) => ["GET", key] as const));
    const held = new Set<number>();
    for (const report of reports as (string | null)[]) {
      if (report === null) continue;
      for (const index of JSON.parse(report) as number[]) held.add(index);
    }
    return held;
  }
}
