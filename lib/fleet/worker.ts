/**
 * A worker of a fleet: finds jobs in Redis and works on them, one after the other.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { ConfigurationError, FlexLLMError, InternalError } from "../errors.ts";
import { RedisUnavailableError } from "../redis/redis_error.ts";
import { systemClock } from "../runtime/clock.ts";
import { VERSION } from "../version.ts";
import { REPORT } from "./claim_scripts.ts";
import type { WorkerStatus } from "./fleet_status.ts";
import { FleetKeys } from "./job_keys.ts";
import { FLEET_PROTOCOL, type JobClient, type JobSpec } from "./job_spec.ts";
import { JobWorker, type WorkerCounts } from "./job_worker.ts";
import { readRunningJobs } from "./read_fleet.ts";
import { RecentCount } from "./recent_count.ts";
import type { WorkerOptions } from "./worker_options.ts";

/** Milliseconds between two reports, and between two looks for a job. */
const INTERVAL = 1000;
/** Milliseconds after which a silent worker is forgotten. */
const FORGET = 60_000;
/** Seconds without a record after which a worker leaves a job, if there may be another one. */
const JOB_IDLE = 3;
/** Milliseconds for which records that Redis has forgotten count as held after a report. */
const HELD_TTL = 15_000;
/** Milliseconds after which a worker that had to leave a job tries it again. */
const RETRY_JOB = 60_000;
/** Milliseconds for which a worker without Redis waits for it before it ends. */
const MAX_DELIVERY = 60_000;
/** The oldest records that a report names. */
const OLDEST = 20;

/** A job that the worker does not work on for now. */
interface Refusal {
  generation: string;
  reason: string;
  /** When to try again; `Infinity` if that cannot help. */
  until: number;
}

/** Reports a sign of life, and works on jobs until it is stopped. */
export class FleetWorker {
  readonly id: string;
  readonly #options: WorkerOptions;
  readonly #keys: FleetKeys;
  readonly #counts: WorkerCounts = {
    done: 0,
    failed: 0,
    retries: 0,
    cost: 0,
    lastError: undefined,
  };
  readonly #rate = new RecentCount();
  readonly #refusals = new Map<string, Refusal>();
  #sequence = 0;
  #job: { spec: JobSpec; client: JobClient; worker: JobWorker } | undefined;
  #hadJob = false;
  #currentRate = 0;
  #idleSince = performance.now();
  #isStopping = false;
  #isAborting = false;
  readonly #ending = new AbortController();
  #last: string | undefined;
  #wake: () => void = () => {};

  /** Creates a worker; see {@link FleetWorker.run}. */
  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#keys = new FleetKeys(options.connection);
    this.id = `${options.name ?? hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  }

  /** What the worker reports. */
  get status(): WorkerStatus {
    const { name = `${hostname()}:${process.pid}`, isEmbedded = false, concurrency } =
      this.#options;
    const job = this.#job;
    const refusals = [...this.#refusals].map(([id, { reason }]) => [id, reason] as const);
    return {
      id: this.id,
      name,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      isEmbedded,
      job: job?.spec.id,
      state: this.#isStopping
        ? "stopping"
        : job !== undefined
        ? "working"
        : refusals.length > 0
        ? "refused"
        : "idle",
      concurrency: job === undefined
        ? concurrency ?? 0
        : Math.min(concurrency ?? Infinity, job.client.completions.concurrencyLimit),
      inFlight: job?.worker.inFlight ?? 0,
      done: this.#counts.done,
      failed: this.#counts.failed,
      rate: Math.round(this.#currentRate * 100) / 100,
      cost: this.#counts.cost,
      isHealthy: job === undefined ||
        job.client.completions.stats.some(({ failures }) => failures === 0),
      lastError: this.#counts.lastError?.split("\n")[0].slice(0, 300),
      refusals: refusals.length === 0 ? undefined : Object.fromEntries(refusals),
      oldest: job?.worker.oldest(OLDEST),
      age: 0,
    };
  }

  /** Finishes the requests in flight, gives all other records back, and ends. */
  stop(): void {
    this.#isStopping = true;
    this.#job?.worker.leave();
    this.#wake();
  }

  /** Aborts the requests in flight, gives their records back, and ends. */
  abort(): void {
    this.stop();
    this.#isAborting = true;
    this.#job?.worker.abort();
    // Without Redis, results could be held for long.
    if (!this.#options.connection.isUp) this.#job?.worker.dropResults();
  }

  /**
   * Works until {@link stop}, {@link abort}, or until nothing is left to do, if the options say so.
   *
   * @throws {FlexLLMError} why the only job could not be worked on, with `exitWhenDone`
   */
  async run(): Promise<void> {
    const { connection } = this.#options;
    this.#idleSince = performance.now();
    const reporting = this.#report();
    const unwatch = connection.watch({
      onDown: ({ message }) => this.#note(`${message}; waiting for it.`),
      onUp: () => this.#note("Redis can be used again."),
    });
    try {
      while (!this.#isStopping && !this.#isIdleForLong()) {
        const spec = await this.#findJob();
        if (this.#isStopping) break;
        if (spec !== undefined) await this.#work(spec);
        else if (this.#isDone()) break;
        else await this.#pause(INTERVAL);
      }
    } finally {
      this.#isStopping = true;
      this.#ending.abort();
      this.#wake();
      await reporting;
      unwatch();
      await this.#forget();
    }
    const { job, exitWhenDone } = this.#options;
    const refusal = job === undefined ? undefined : this.#refusals.get(job);
    if (exitWhenDone && refusal !== undefined) throw new ConfigurationError(refusal.reason);
  }

  #note(text: string): void {
    this.#options.onNote?.(text);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #isIdleForLong(): boolean {
    const { idleExit } = this.#options;
    return idleExit !== undefined && performance.now() - this.#idleSince >= idleExit * 1000;
  }

  /** Whether there is no job any more. */
  #isDone(): boolean {
    if (!this.#options.exitWhenDone || !this.#options.connection.isUp) return false;
    return this.#hadJob || this.#refusals.size > 0;
  }

  /** The next job that this worker can work on. */
  async #findJob(): Promise<JobSpec | undefined> {
    const { connection, job } = this.#options;
    let jobs: JobSpec[];
    try {
      jobs = await readRunningJobs(connection);
    } catch (error) {
      if (error instanceof RedisUnavailableError) return undefined;
      throw error;
    }
    for (const id of this.#refusals.keys()) {
      if (!jobs.some((spec) => spec.id === id)) this.#refusals.delete(id);
    }
    // Not the same again and again, if there are several.
    const after = jobs.findIndex(({ id }) => id === this.#last) + 1;
    const next = [...jobs.slice(after), ...jobs.slice(0, after)];
    return next.find((spec) => {
      if (job !== undefined && spec.id !== job) return false;
      const refusal = this.#refusals.get(spec.id);
      return refusal === undefined || refusal.generation !== spec.generation ||
        refusal.until <= performance.now();
    });
  }

  #refuse({ id, generation }: JobSpec, reason: string, until = Infinity): void {
    this.#refusals.set(id, { generation, reason, until });
  }

  async #work(spec: JobSpec): Promise<void> {
    const { connection, connect, concurrency = Infinity, onRetry } = this.#options;
    this.#last = spec.id;
    let client: JobClient;
    try {
      checkProtocol(spec);
      client = await connect(spec);
    } catch (thrown) {
      const error = thrown instanceof FlexLLMError ? thrown : new InternalError(thrown);
      this.#refuse(spec, error.message);
      const hint = error.hint === undefined ? "" : `. ${error.hint}`;
      this.#note(`Cannot work on job ${spec.id}: ${error.message}${hint}`);
      return;
    }
    this.#refusals.delete(spec.id);
    this.#hadJob = true;
    const worker = new JobWorker({
      connection,
      spec,
      client,
      worker: this.id,
      concurrency: Math.min(concurrency, client.completions.concurrencyLimit),
      counts: this.#counts,
      nextSequence: () => ++this.#sequence,
      onRetry,
      onFailure: (error) => {
        const isFinal = error.code === "authentication" || error.code === "configuration";
        const until = isFinal ? Infinity : performance.now() + RETRY_JOB;
        this.#refuse(spec, error.message, until);
        this.#note(`Left job ${spec.id}: ${error.message}`);
      },
    });
    this.#job = { spec, client, worker };
    this.#note(`Working on job ${spec.id} (${spec.name ?? spec.models.join(", ")}).`);
    if (this.#isStopping) worker.leave();
    if (this.#isAborting) worker.abort();
    try {
      await this.#reportNow();
      await worker.run();
    } finally {
      this.#job = undefined;
      this.#idleSince = performance.now();
      await client.close?.();
    }
  }

  /** Reports until the worker has ended. */
  async #report(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#reportNow();
      await systemClock.sleep(INTERVAL, signal).catch(() => {});
    }
  }

  async #reportNow(): Promise<void> {
    const { connection } = this.#options;
    const job = this.#job;
    const { done, failed } = this.#counts;
    this.#currentRate = this.#rate.rate(done + failed, performance.now());
    this.#giveUpDelivery();
    const { workers, reports } = this.#keys;
    const head = [this.id, JSON.stringify(this.status), FORGET];
    try {
      if (job === undefined) {
        await connection.run(REPORT, [workers, reports], head);
        return;
      }
      const { keys } = job.worker;
      const { orphans } = job.worker;
      const held = orphans.length === 0 ? "" : JSON.stringify(orphans);
      const reply = await connection.run(
        REPORT,
        [workers, reports, keys.state, keys.lock, keys.held(this.id)],
        [...head, held, HELD_TTL],
      );
      await this.#follow(job, reply as [string, string, number]);
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) this.#counts.lastError = String(error);
    }
  }

  /** Does what the coordinator of a job wants. */
  async #follow(
    { spec, worker }: { spec: JobSpec; worker: JobWorker },
    [phase, generation, isLocked]: [string, string, number],
  ): Promise<void> {
    if (phase === "ended" || generation !== "" && generation !== spec.generation) worker.abort();
    else if (phase === "closing") worker.abort();
    else if (phase === "stopping") worker.leave();
    else worker.pause(phase === "" || isLocked === 0);
    const { idleFor } = worker;
    if (idleFor > 0) this.#idleSince = performance.now() - idleFor * 1000;
    else this.#idleSince = performance.now();
    if (this.#isIdleForLong()) return this.stop();
    if (idleFor < JOB_IDLE || phase === "") return;
    const isOrphan = isLocked === 0;
    if (isOrphan || await this.#hasOtherJob(spec)) worker.leave();
  }

  async #hasOtherJob({ id }: JobSpec): Promise<boolean> {
    if (this.#options.job !== undefined) return false;
    const jobs = await readRunningJobs(this.#options.connection);
    return jobs.some((spec) => spec.id !== id && !this.#refusals.has(spec.id));
  }

  /** A worker that was stopped does not wait for ever for a server to take its results. */
  #giveUpDelivery(): void {
    const { connection } = this.#options;
    if (!this.#isStopping || this.#job === undefined || connection.isUp) return;
    if (connection.downFor > MAX_DELIVERY && this.#job.worker.inFlight === 0) {
      this.#job.worker.dropResults();
    }
  }

  /** Removes the worker from the list. */
  async #forget(): Promise<void> {
    const { workers, reports } = this.#keys;
    try {
      await this.#options.connection.pipeline([
        ["ZREM", workers, this.id],
        ["HDEL", reports, this.id],
      ]);
    } catch {
      // It is forgotten after a while.
    }
  }
}

/**
 * Checks that a worker understands a job.
 *
 * @throws {ConfigurationError} if not
 */
function checkProtocol({ protocol, version }: JobSpec): void {
  if (protocol === FLEET_PROTOCOL) return;
  throw new ConfigurationError(
    `its coordinator has flexllm ${version}, this worker ${VERSION}: they do not understand each other`,
    { hint: "Use the same version on all machines." },
  );
}
