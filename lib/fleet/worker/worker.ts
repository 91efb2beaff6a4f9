/**
 * A worker of a fleet: finds jobs in Redis and works on them, one after the other.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { ConfigurationError, FlexLLMError, InternalError } from "../../errors.ts";
import { reportLoss } from "../../redis/loss_notice.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import { systemClock } from "../../runtime/clock.ts";
import { VERSION } from "../../version.ts";
import { REPORT } from "../claim_scripts.ts";
import type { WorkerStatus } from "../fleet_status.ts";
import { FleetKeys } from "../job_keys.ts";
import { FLEET_PROTOCOL, type JobClient, type JobSpec } from "../job_spec.ts";
import { RecentCount } from "../recent_count.ts";
import { JobFinder } from "./job_finder.ts";
import { JobWorker } from "./job_worker.ts";
import type { WorkerCounts } from "./record_calls.ts";
import type { WorkerOptions } from "./worker_options.ts";
import { concurrencyOf, type CurrentJob, workerStatus } from "./worker_report.ts";

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

/** Sends heartbeats, and works on jobs until it is stopped. */
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
  readonly #finder: JobFinder;
  #sequence = 0;
  #job: CurrentJob | undefined;
  #hadJob = false;
  #currentRate = 0;
  #idleSince = performance.now();
  #isStopping = false;
  #isAborting = false;
  readonly #ending = new AbortController();
  #wake: () => void = () => {};

  /** Creates a worker; see {@link FleetWorker.run}. */
  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#keys = new FleetKeys(options.connection);
    this.#finder = new JobFinder(options.connection, options.job);
    this.id = `${options.name ?? hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  }

  /** What the worker reports. */
  get status(): WorkerStatus {
    return workerStatus({
      id: this.id,
      options: this.#options,
      counts: this.#counts,
      job: this.#job,
      refusals: this.#finder.refusals,
      rate: this.#currentRate,
      isStopping: this.#isStopping,
    });
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
    const { connection, onLoss } = this.#options;
    this.#idleSince = performance.now();
    const reporting = this.#report();
    const unreport = onLoss &&
      reportLoss(connection, onLoss, "the worker takes no records, and keeps its answers");
    try {
      while (!this.#isStopping && !this.#isIdleForLong()) {
        const spec = await this.#finder.next();
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
      unreport?.();
      await this.#forget();
    }
    const { job, exitWhenDone } = this.#options;
    const reason = job === undefined ? undefined : this.#finder.refusals?.[job];
    if (exitWhenDone && reason !== undefined) throw new ConfigurationError(reason);
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

  /** Whether no job is left. */
  #isDone(): boolean {
    if (!this.#options.exitWhenDone || !this.#options.connection.isUp) return false;
    return this.#hadJob || this.#finder.refusals !== undefined;
  }

  async #work(spec: JobSpec): Promise<void> {
    const { connection, connect, onRetry } = this.#options;
    let client: JobClient;
    try {
      checkProtocol(spec);
      client = await connect(spec);
    } catch (thrown) {
      const error = thrown instanceof FlexLLMError ? thrown : new InternalError(thrown);
      this.#finder.refuse(spec, error.message);
      const hint = error.hint === undefined ? "" : `. ${error.hint}`;
      this.#note(`Cannot work on job ${spec.id}: ${error.message}${hint}`);
      return;
    }
    this.#finder.accept(spec);
    this.#hadJob = true;
    const worker = new JobWorker({
      connection,
      spec,
      client,
      worker: this.id,
      concurrency: concurrencyOf(this.#options, client),
      counts: this.#counts,
      nextSequence: () => ++this.#sequence,
      onRetry,
      onFailure: (error) => {
        const isFinal = error.code === "authentication" || error.code === "configuration";
        const until = isFinal ? Infinity : performance.now() + RETRY_JOB;
        this.#finder.refuse(spec, error.message, until);
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
      const { keys, orphans } = job.worker;
      const held = orphans.length === 0 ? "" : JSON.stringify(orphans);
      const reply = await connection.run(
        REPORT,
        [workers, reports, keys.state, keys.lock, keys.held(this.id)],
        [...head, held, HELD_TTL],
      );
      await this.#follow(job, reply as [string, string, number, string]);
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) this.#counts.lastError = String(error);
    }
  }

  /** Does what the coordinator of a job wants. */
  async #follow(
    { spec, worker }: { spec: JobSpec; worker: JobWorker },
    [phase, generation, isLocked, run]: [string, string, number, string],
  ): Promise<void> {
    const isReplaced = generation !== "" && generation !== spec.generation;
    if (phase === "ended" || phase === "closing" || isReplaced) worker.abort();
    else if (phase === "stopping") worker.leave();
    else worker.pause(phase === "" || isLocked === 0, run);
    const { idleFor } = worker;
    this.#idleSince = performance.now() - idleFor * 1000;
    if (this.#isIdleForLong()) return this.stop();
    if (idleFor < JOB_IDLE || phase === "") return;
    const isOrphan = isLocked === 0;
    if (isOrphan || await this.#finder.hasOther(spec)) worker.leave();
  }

  /** Gives up the results of a stopped worker if the server stays unreachable. */
  #giveUpDelivery(): void {
    const { connection } = this.#options;
    if (!this.#isStopping || this.#job === undefined || connection.isUp) return;
    if (connection.downFor > MAX_DELIVERY && this.#job.worker.isIdle) {
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
