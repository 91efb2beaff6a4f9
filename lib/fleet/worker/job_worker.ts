/**
 * Works on the records of one job: claims them, sends them through the job's client and delivers the results.
 *
 * @module
 */
import type { RetryNotice } from "../../chat/retry_notice.ts";
import type { FlexLLMError } from "../../errors.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import { systemClock } from "../../runtime/clock.ts";
import { JobKeys } from "../job_keys.ts";
import type { JobClient, JobSpec } from "../job_spec.ts";
import type { WorkEntry } from "../record_codec.ts";
import { failed, resultHead } from "../work_result.ts";
import { HeldRecord, type HeldRecords } from "./held_record.ts";
import { Outbox } from "./outbox.ts";
import { RecordCalls, type WorkerCounts } from "./record_calls.ts";
import { RecordClaims } from "./record_claims.ts";
import { RecordReader } from "./record_reader.ts";
import { WorkersLostError } from "./workers_lost_error.ts";

/** Maximum number of records that wait for a retry at the same time. */
const MAX_PARKED = 1000;
/** Milliseconds for which free slots wait for others, so that records are read in groups. */
const GATHER = 5;
/** Slots are filled without waiting for others once this share of them is free. */
const GATHER_SHARE = 8;
/** The share of all slots that results on their way to the server do not occupy. */
const DELIVERY_SHARE = 16;
/** Results for this share of all slots are delivered without waiting for more. */
const GROUP_SHARE = 4;
/** How many workers may be lost with a record. */
const MAX_LOST = 3;
/** Milliseconds after a restart of the server for which records wait until the coordinator has compared them. */
const MAX_COMPARISON = 15_000;
/** Milliseconds before records are read again after an error of the server. */
const ERROR_DELAY = 500;

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
  readonly #options: JobWorkerOptions;
  readonly #stopWaiting = new AbortController();
  readonly #aborting = new AbortController();
  readonly #calls: RecordCalls;
  readonly #claims: RecordClaims;
  readonly #outbox: Outbox;
  /** The records in progress, by the id of their entry. */
  readonly #held = new Map<string, HeldRecord>();
  /** Their indexes. */
  readonly #indexes = new Set<number>();
  /** Records that Redis has forgotten, and the worker still has. */
  readonly #orphans = new Set<number>();
  #parked = 0;
  #isPaused = false;
  /** When the server was restarted, until the coordinator has compared the records. */
  #restartedAt: number | undefined;
  /** The run of the server for which this worker no longer waits. */
  #comparedRun: string | undefined;
  #isLeaving = false;
  #lastRecordAt = performance.now();
  #wake: () => void = () => {};

  constructor(options: JobWorkerOptions) {
    const { connection, spec, client, worker, concurrency, counts, nextSequence } = options;
    const { generation, lease } = spec;
    this.#options = options;
    this.keys = new JobKeys(connection, spec.id, generation);
    const request = { ...spec.template, signal: this.#aborting.signal };
    this.#calls = new RecordCalls({ client, request, concurrency, counts });
    this.#outbox = new Outbox(connection, this.keys, {
      ...{ worker, generation, nextSequence },
      enough: Math.max(1, Math.floor(concurrency / GROUP_SHARE)),
    });
    this.#outbox.onDelivered = (indexes) => {
      for (const index of indexes) this.#orphans.delete(index);
      this.#wake();
    };
    this.#claims = this.#createClaims(connection, worker, lease);
  }

  get waitSignal(): AbortSignal {
    return this.#stopWaiting.signal;
  }

  get anyAnswer(): boolean {
    return this.#calls.anyAnswer;
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

  mayHaveLost({ claimedAt }: HeldRecord): boolean {
    return this.#claims.mayBeLost(claimedAt);
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
   * @param serverRun the run of the server for which the coordinator has compared the records
   */
  pause(isPaused: boolean, serverRun: string): void {
    this.#isPaused = isPaused || this.#mayBeOld(serverRun);
    if (!this.#isPaused) this.#wake();
  }

  /** Whether the server may have come back with records that were answered since its data was saved. */
  #mayBeOld(serverRun: string): boolean {
    const { runId } = this.#options.connection;
    if (serverRun === runId) this.#restartedAt = undefined;
    // A worker that joins after the restart has not seen it.
    else if (serverRun !== "" && this.#comparedRun !== runId) {
      this.#restartedAt ??= performance.now();
    }
    if (this.#restartedAt === undefined) return false;
    if (performance.now() - this.#restartedAt <= MAX_COMPARISON) return true;
    this.#restartedAt = undefined;
    this.#comparedRun = runId;
    return false;
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
    const { connection, worker } = this.#options;
    const ending = new AbortController();
    const unwatch = connection.watch({
      onUp: () => this.#claims.renewAfterOutage(),
      onReset: () => this.#noteOrphans(),
      onRestart: () => {
        this.#noteOrphans();
        this.#restartedAt = performance.now();
        this.#isPaused = true;
      },
    });
    this.#claims.start(ending.signal);
    const reader = new RecordReader(connection, this.keys.work, worker);
    try {
      await this.#read(reader);
      while (this.#held.size + this.#outbox.size > 0) await this.#changed();
    } finally {
      this.leave();
      ending.abort();
      unwatch();
      reader.close();
    }
  }

  #createClaims(connection: RedisConnection, worker: string, lease: number): RecordClaims {
    return new RecordClaims({ connection, stream: this.keys.work, worker, lease }, {
      entryIds: () => [...this.#held.keys(), ...this.#outbox.ids()],
      free: () => this.#free,
      isPaused: () => this.#isPaused,
      isLeaving: () => this.#isLeaving,
      start: (entry) => this.#start(entry),
      onLost: (id) => {
        const record = this.#held.get(id);
        if (record !== undefined) record.isLost = true;
      },
    });
  }

  /** The server may no longer know what this worker has. */
  #noteOrphans(): void {
    for (const { entry } of this.#held.values()) this.#orphans.add(entry.index);
    for (const index of this.#outbox.indexes()) this.#orphans.add(index);
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

  async #read(reader: RecordReader): Promise<void> {
    const { concurrency } = this.#options;
    while (!this.#isLeaving) {
      if (this.#isPaused || this.#free <= 0) {
        await this.#changed();
        continue;
      }
      if (this.#free < concurrency / GATHER_SHARE) await systemClock.sleep(GATHER);
      try {
        for (const entry of await reader.read(this.#free)) this.#start(entry);
      } catch {
        // The server cannot be used, or the coordinator has not created the job again yet.
        await systemClock.sleep(ERROR_DELAY);
      }
    }
  }

  #start(entry: WorkEntry): void {
    this.#lastRecordAt = performance.now();
    // A second copy is for another worker.
    const isCopy = this.#indexes.has(entry.index);
    if (this.#isLeaving || isCopy) return this.#outbox.add(entry.id, resultHead(entry), true);
    if (entry.deliveries > MAX_LOST) {
      const error = new WorkersLostError(MAX_LOST);
      return this.#outbox.add(entry.id, { ...resultHead(entry), ...failed(error, undefined) });
    }
    const held = new HeldRecord(entry, this);
    this.#held.set(entry.id, held);
    this.#indexes.add(entry.index);
    void this.#complete(held);
  }

  async #complete(held: HeldRecord): Promise<void> {
    const { entry } = held;
    const { result, isReturned, fatal } = await this.#calls.send(held);
    this.#outbox.add(entry.id, result, isReturned);
    held.onRetryResume();
    this.#held.delete(entry.id);
    this.#indexes.delete(entry.index);
    this.#lastRecordAt = performance.now();
    this.#wake();
    if (fatal === undefined) return;
    this.#options.onFailure(fatal);
    this.leave();
  }
}
