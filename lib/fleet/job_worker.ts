/**
 * Works on the records of one job: claims them, sends them through the job's client and delivers the results.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { withRecordOptions } from "../chat/record_options.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { RetryNotice } from "../chat/retry_notice.ts";
import { recordError } from "../batch/record_problem.ts";
import { StopPolicy } from "../batch/stop_policy.ts";
import { AbortedError, type FlexLLMError } from "../errors.ts";
import type { BlockingConnection, RedisConnection } from "../redis/redis_connection.ts";
import { RedisUnavailableError } from "../redis/redis_error.ts";
import { CLAIM, READ_OWNED, RENEW } from "./claim_scripts.ts";
import {
  HeldRecord,
  type HeldRecords,
  millisecondsSince,
  type Timestamp,
  timestamp,
} from "./held_record.ts";
import { GROUP, JobKeys } from "./job_keys.ts";
import type { JobClient, JobSpec } from "./job_spec.ts";
import { Outbox } from "./outbox.ts";
import { decodeSentRecord, type SentRecord, type WorkEntry, workEntry } from "./record_codec.ts";
import { answered, failed, type WorkResult } from "./work_result.ts";
import { WorkersLostError } from "./workers_lost_error.ts";

/** Maximum number of records that wait for a retry at the same time. */
const MAX_PARKED = 1000;
/** Milliseconds for which a request for records waits on the server. */
const READ_WAIT = 250;
/** Milliseconds for which free slots wait for others, so that records are read in groups. */
const GATHER = 5;
/** Slots are filled without waiting for others once this share of them is free. */
const GATHER_SHARE = 8;
/** The share of all slots that results on their way to the server do not occupy. */
const DELIVERY_SHARE = 16;
/** Maximum records, and estimated characters, of one read. */
const MAX_READ = 200;
const MAX_READ_SIZE = 4 * 1024 * 1024;
/** Claims are renewed this often during the time after which they are lost. */
const RENEWALS = 6;
/** Maximum records that are taken over from lost workers at once. */
const MAX_CLAIM = 50;
/** How many workers may be lost with a record. */
const MAX_LOST = 3;
/** Milliseconds after a restart of the server for which records wait until the coordinator has compared them. */
const MAX_COMPARISON = 15_000;
/** Milliseconds before an error of the server is met again. */
const ERROR_DELAY = 500;

/** What a worker counts over all of its jobs. */
export interface WorkerCounts {
  done: number;
  failed: number;
  retries: number;
  cost: number;
  lastError: string | undefined;
}

/** Options of a {@link JobWorker}. */
export interface JobWorkerOptions {
  connection: RedisConnection;
  spec: JobSpec;
  client: JobClient;
  /** The id of the worker. */
  worker: string;
  concurrency: number;
  counts: WorkerCounts;
  /** Numbers the groups of results of the worker. */
  nextSequence: () => number;
  onRetry?: (notice: RetryNotice) => void;
  /** Called when the worker leaves the job because of an error. */
  onFailure: (error: FlexLLMError) => void;
}

/** A worker of one job. */
export class JobWorker implements HeldRecords {
  readonly keys: JobKeys;
  readonly claimLasts: number;
  readonly #options: JobWorkerOptions;
  readonly #request: ChatOptions;
  readonly #stopWaiting = new AbortController();
  readonly #aborting = new AbortController();
  readonly #policy: StopPolicy;
  readonly #outbox: Outbox;
  readonly #held = new Map<string, HeldRecord>();
  readonly #indexes = new Map<number, string>();
  /** Records that Redis has forgotten, and the worker still has. */
  readonly #orphans = new Set<number>();
  readonly #renewInterval: number;
  #reader: BlockingConnection | undefined;
  #renewedAt: Timestamp = timestamp();
  #mayClaimAt: number;
  /** Entries that the server says we have, and we don't know. */
  #unknown = new Set<string>();
  #parked = 0;
  /** Estimated characters of a record, learned from those that were read. */
  #recordSize = MAX_READ_SIZE / 8;
  #isPaused = false;
  #restartedAt: number | undefined;
  #isLeaving = false;
  #isStoppedByError = false;
  #anyAnswer = false;
  #lastRecordAt = performance.now();
  #wake: () => void = () => {};

  constructor(options: JobWorkerOptions) {
    const { connection, spec, worker, concurrency, nextSequence } = options;
    this.#options = options;
    this.keys = new JobKeys(connection, spec.id, spec.generation);
    this.#request = { ...spec.template, signal: this.#aborting.signal };
    this.#policy = new StopPolicy({ concurrency });
    const { generation } = spec;
    this.#outbox = new Outbox(connection, this.keys, { worker, generation, nextSequence });
    this.#outbox.onDelivered = (indexes) => {
      for (const index of indexes) this.#orphans.delete(index);
      this.#wake();
    };
    this.#renewInterval = spec.lease * 1000 / RENEWALS;
    // A claim must not be lost between the check and the arrival of the request.
    this.claimLasts = spec.lease * 1000 * (1 - 1 / RENEWALS);
    this.#mayClaimAt = performance.now() + this.#renewInterval;
  }

  get waitSignal(): AbortSignal {
    return this.#stopWaiting.signal;
  }

  get anyAnswer(): boolean {
    return this.#anyAnswer;
  }

  /** Records in progress, except those that wait for a retry: their slots are free for others. */
  get inFlight(): number {
    return this.#held.size - this.#parked;
  }

  /** Whether no record is in progress. */
  get isIdle(): boolean {
    return this.#held.size === 0;
  }

  /** Seconds since the last record was read or finished; 0 while records are in progress. */
  get idleFor(): number {
    return this.#held.size + this.#outbox.size > 0
      ? 0
      : (performance.now() - this.#lastRecordAt) / 1000;
  }

  /** The records in progress, oldest first: index, and seconds since the start. */
  oldest(count: number): [index: number, seconds: number][] {
    const oldest: [number, number][] = [];
    for (const { entry, claimedAt } of this.#held.values()) {
      if (oldest.length === count) break;
      oldest.push([entry.index, Math.round((performance.now() - claimedAt.monotonic) / 100) / 10]);
    }
    return oldest;
  }

  /** The records that Redis has forgotten, and that the worker still has. */
  get orphans(): readonly number[] {
    return [...this.#orphans];
  }

  sinceRenewal(record: HeldRecord): number {
    return Math.min(millisecondsSince(this.#renewedAt), millisecondsSince(record.claimedAt));
  }

  onRetry(notice: RetryNotice): void {
    this.#options.counts.retries++;
    this.#outbox.countRetry();
    this.#options.onRetry?.(notice);
  }

  onParked(change: 1 | -1): void {
    this.#parked += change;
    this.#wake();
  }

  /**
   * Starts no more records while no coordinator waits for them.
   *
   * @param run the run of the server for which the coordinator has compared the records
   */
  pause(isPaused: boolean, run: string): void {
    this.#isPaused = isPaused || this.#mayBeOld(run);
    if (!this.#isPaused) this.#wake();
  }

  /** Whether the server may have come back with records that were answered since its data was saved. */
  #mayBeOld(run: string): boolean {
    if (this.#restartedAt === undefined) return false;
    const isCompared = run === this.#options.connection.runId ||
      performance.now() - this.#restartedAt > MAX_COMPARISON;
    if (isCompared) this.#restartedAt = undefined;
    return !isCompared;
  }

  /** Finishes the requests in flight and gives back all other records. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#stopWaiting.abort();
    this.#wake();
  }

  /** Aborts the requests in flight and gives their records back. */
  abort(): void {
    this.leave();
    this.#aborting.abort();
  }

  /** Gives up the results that could not be delivered. */
  dropResults(): void {
    this.#outbox.end();
  }

  /** Works until {@link leave}, {@link abort}, or an error that concerns all records. Then delivers all results. */
  async run(): Promise<void> {
    const { connection } = this.#options;
    const timers = new AbortController();
    const unwatch = connection.watch({
      onUp: () => {
        this.#mayClaimAt = performance.now() + 2 * this.#renewInterval;
        void this.#renew();
      },
      onReset: () => this.#reportOrphans(),
      onRestart: () => {
        this.#reportOrphans();
        this.#restartedAt = performance.now();
        this.#isPaused = true;
      },
    });
    this.#every(this.#renewInterval, timers.signal, () => this.#renew());
    this.#every(this.#renewInterval, timers.signal, () => this.#claim());
    this.#reader = connection.blocking();
    try {
      await this.#read(this.#reader);
      while (this.#held.size + this.#outbox.size > 0) await this.#changed();
    } finally {
      this.leave();
      timers.abort();
      unwatch();
      this.#reader.close();
    }
  }

  /** The server may not know any more what this worker has. */
  #reportOrphans(): void {
    for (const { entry } of this.#held.values()) this.#orphans.add(entry.index);
    for (const index of this.#outbox.indexes()) this.#orphans.add(index);
  }

  #every(ms: number, signal: AbortSignal, task: () => Promise<void>): void {
    const run = async () => {
      if (signal.aborted) return;
      try {
        await task();
      } catch {
        // The next time, then: an unreachable server is reported elsewhere.
      }
      schedule();
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const schedule = () => {
      // Spread, so that many workers don't all come at once.
      if (!signal.aborted) timer = setTimeout(run, ms * (0.9 + 0.2 * Math.random()));
    };
    schedule();
    signal.addEventListener("abort", () => clearTimeout(timer));
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** How many records can be started now. */
  get #free(): number {
    const { concurrency } = this.#options;
    const active = this.#held.size - this.#parked;
    if (this.#parked >= MAX_PARKED) return 0;
    // What is not delivered is sent again if this worker is killed, as is what is in flight. Only a few results may
    // be on their way besides, so that large workers are not slowed down.
    const undelivered = Math.max(0, this.#outbox.size - Math.floor(concurrency / DELIVERY_SHARE));
    return concurrency - active - undelivered;
  }

  async #read(reader: BlockingConnection): Promise<void> {
    const { worker, concurrency } = this.#options;
    while (!this.#isLeaving) {
      if (this.#isPaused || this.#free <= 0) {
        await this.#changed();
        continue;
      }
      if (this.#free < concurrency / GATHER_SHARE) await delay(GATHER);
      const count = Math.max(
        1,
        Math.min(this.#free, MAX_READ, Math.floor(MAX_READ_SIZE / this.#recordSize)),
      );
      const options = ["COUNT", count, "BLOCK", READ_WAIT] as const;
      let reply: unknown;
      try {
        reply = await reader.command(
          ["XREADGROUP", "GROUP", GROUP, worker, ...options, "STREAMS", this.keys.work, ">"],
          READ_WAIT,
        );
      } catch {
        // The server cannot be used, or the coordinator has not created the job again yet.
        await delay(ERROR_DELAY);
        continue;
      }
      const entries = entriesOf(reply);
      for (const [id, fields] of entries) this.#start(workEntry(id, 1, fields));
    }
  }

  #start(entry: WorkEntry): void {
    this.#recordSize += (entry.record.length + 100 - this.#recordSize) / 4;
    this.#lastRecordAt = performance.now();
    // A second copy is for another worker.
    const isCopy = this.#indexes.has(entry.index);
    if (this.#isLeaving || isCopy) return this.#giveBack(entry);
    if (entry.deliveries > MAX_LOST) {
      const error = new WorkersLostError(MAX_LOST);
      this.#outbox.add(entry.id, { ...headOf(entry), ...failed(error, undefined) });
      return;
    }
    const held = new HeldRecord(entry, this);
    this.#held.set(entry.id, held);
    this.#indexes.set(entry.index, entry.id);
    void this.#complete(held);
  }

  #giveBack(entry: WorkEntry, result: Partial<WorkResult> = {}): void {
    this.#outbox.add(entry.id, { ...headOf(entry), ...result }, true);
  }

  async #complete(held: HeldRecord): Promise<void> {
    const { client: { completions }, counts } = this.#options;
    const { entry } = held;
    let { messages, options }: SentRecord = { messages: [] };
    try {
      ({ messages, options } = decodeSentRecord(entry));
      const request = options === undefined
        ? this.#request
        : withRecordOptions(this.#request, options);
      const result = await completions.complete(messages, request, held);
      this.#anyAnswer = true;
      this.#policy.answered();
      counts.done++;
      counts.cost += result.cached ? 0 : result.cost ?? 0;
      this.#outbox.add(entry.id, { ...headOf(entry), ...answered(result, held.facts) });
    } catch (thrown) {
      const error = recordError({ index: entry.index, messages, options }, thrown);
      this.#fail(held, error, options !== undefined);
    } finally {
      held.onRetryResume();
      this.#held.delete(entry.id);
      this.#indexes.delete(entry.index);
      this.#lastRecordAt = performance.now();
      this.#wake();
    }
  }

  #fail({ entry, facts }: HeldRecord, error: FlexLLMError, hasOwnOptions: boolean): void {
    const { counts, client, onFailure } = this.#options;
    const cost = error.partial?.cost ?? 0;
    counts.cost += cost;
    if (error instanceof AbortedError) {
      return this.#giveBack(entry, cost > 0 ? { c: cost } : {});
    }
    if (error instanceof RedisUnavailableError) return this.#giveBack(entry);
    const decision = this.#policy.failed(error, {
      hasOwnOptions,
      hasHealthyEndpoint: client.completions.stats.some(({ failures }) => failures === 0),
      isStopping: this.#isStoppedByError,
    });
    const result: WorkResult = { ...headOf(entry), ...failed(error, facts) };
    if (decision.stop && !this.#isStoppedByError) result.x = true;
    if (!decision.record) result.b = true;
    if (decision.record) counts.failed++;
    counts.lastError = error.message;
    this.#outbox.add(entry.id, result, !decision.record);
    if (!decision.stop || this.#isStoppedByError) return;
    this.#isStoppedByError = true;
    onFailure(error);
    this.leave();
  }

  /** Renews the claims on all records whose results are not delivered. */
  async #renew(): Promise<void> {
    const { connection, worker } = this.#options;
    const ids = [...this.#held.keys(), ...this.#outbox.ids()];
    const now = timestamp();
    const reply = await connection.run(RENEW, [this.keys.work], [GROUP, worker, ...ids]);
    this.#renewedAt = now;
    const names = reply as string[];
    const end = names.indexOf("");
    for (const id of end < 0 ? names : names.slice(0, end)) {
      const held = this.#held.get(id);
      // Without the stream, nobody else can have claimed it.
      if (held !== undefined && end >= 0) held.isLost = true;
    }
    if (end < 0 || this.#isPaused) return;
    const known = (id: string) => this.#held.has(id) || [...this.#outbox.ids()].includes(id);
    const unknown = names.slice(end + 1).filter((id) => !known(id));
    // The reply with a record may be on its way; the second time, it is lost.
    const lost = unknown.filter((id) => this.#unknown.has(id));
    this.#unknown = new Set(unknown);
    if (lost.length > 0) await this.#startOwned(lost.slice(0, Math.max(this.#free, 0)));
  }

  async #startOwned(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { connection, worker } = this.#options;
    const reply = await connection.run(READ_OWNED, [this.keys.work], [GROUP, worker, ...ids]);
    for (const [id, deliveries, fields] of reply as [string, number, string[]][]) {
      if (!this.#held.has(id)) this.#start(workEntry(id, deliveries, fields));
    }
  }

  /** Takes over records of workers that give no sign of life. */
  async #claim(): Promise<void> {
    const { connection, worker, spec: { lease } } = this.#options;
    const count = Math.min(this.#free, MAX_CLAIM);
    if (this.#isLeaving || this.#isPaused || count <= 0 || !connection.isUp) return;
    // After an outage, the others need a moment to renew their claims.
    if (performance.now() < this.#mayClaimAt) return;
    const reply = await connection.run(CLAIM, [this.keys.work], [
      GROUP,
      worker,
      Math.round(lease * 1000),
      count,
    ]);
    for (const [id, deliveries, fields] of reply as [string, number, string[]][]) {
      this.#start(workEntry(id, deliveries, fields));
    }
  }
}

function headOf({ index, hash, deliveries }: WorkEntry): WorkResult {
  return deliveries > 1 ? { i: index, h: hash, d: deliveries } : { i: index, h: hash };
}

/** The entries in the reply of `XREADGROUP` or `XREAD` for one stream; its form depends on the protocol. */
export function entriesOf(reply: unknown): [id: string, fields: string[]][] {
  const [first, second] = (reply ?? []) as [unknown, unknown];
  const entries = Array.isArray(first) ? first[1] : second;
  return (entries ?? []) as [string, string[]][];
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
