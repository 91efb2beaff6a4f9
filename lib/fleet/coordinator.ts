/**
 * Coordinates a job of a fleet: hands the records of a batch to workers and collects their results.
 *
 * Only a bounded window of records is in Redis. The result file is the truth: a result stays in Redis until it is on
 * disk, and after any failure of Redis the window is compared with what is left there.
 *
 * @module
 */
import { hostname } from "node:os";
import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { Executor, IndexedRecord, Outcome } from "../batch/executor.ts";
import { loadFingerprint } from "../batch/journal/fingerprint.ts";
import { checkRecord, recordError } from "../batch/record_problem.ts";
import { ConfigurationError, type FlexLLMError } from "../errors.ts";
import type { RedisConnection } from "../redis/redis_connection.ts";
import { RedisUnavailableError } from "../redis/redis_error.ts";
import { systemClock } from "../runtime/clock.ts";
import { VERSION } from "../version.ts";
import type { CoordinatorOptions } from "./coordinator_options.ts";
import { decodeError } from "./error_codec.ts";
import type { FleetCounts, FleetView, WorkerStatus } from "./fleet_status.ts";
import { IndexSet } from "./index_set.ts";
import { checkJobId, generationOf } from "./job_id.ts";
import { ENDED_TTL, FleetKeys, GROUP, JOB_TTL, JobKeys } from "./job_keys.ts";
import { JobLock } from "./job_lock.ts";
import { END_JOB, OPEN_JOB } from "./job_scripts.ts";
import { FLEET_PROTOCOL, type JobSpec } from "./job_spec.ts";
import { type OpenRecord, OpenRecords } from "./open_records.ts";
import { encodeSentRecord } from "./record_codec.ts";
import { readWorkers, SILENT } from "./read_fleet.ts";
import { RecentCount } from "./recent_count.ts";
import { ResultReader } from "./result_reader.ts";
import { StragglerWatch } from "./straggler_watch.ts";
import { costOf, outcomeOf, type ResultGroup, type WorkResult } from "./work_result.ts";
import { type ListedRecord, WorkStream } from "./work_stream.ts";

/** Seconds after which the records of a silent worker go to others. */
const LEASE = 60;
/** Records in Redis before any worker is known. */
const MIN_WINDOW = 64;
const MAX_WINDOW = 20_000;
/** Records and characters that are sent to Redis at once. */
const MAX_CHUNK = 200;
const MAX_CHUNK_SIZE = 1024 * 1024;
/** Maximum outcomes that wait to be consumed before more results are read. */
const MAX_READY = 2000;
/** Milliseconds between two signs of life. */
const BEAT = 1000;
/** Milliseconds without a result after which the window is compared with Redis. */
const SILENCE = 30_000;
/** The same while workers have records that Redis has forgotten. */
const ORPHAN_INTERVAL = 5000;
/** Milliseconds that workers need to report what they have after Redis has lost its data. */
const RESET_GRACE = 4000;
/** Milliseconds for which the second copies of answered records may still report their cost. */
const CLOSING_TIME = 3000;
/** Milliseconds before the server is tried again. */
const RETRY_DELAY = 250;
/** How often workers may give back a record because of errors of theirs. */
const MAX_FAILURES = 3;

/** An outcome, and the group of results that it is from. */
interface Ready {
  outcome: Outcome;
  group: string | undefined;
}

/** A result for a record that was not read from the input yet. */
interface EarlyResult {
  result: WorkResult;
  group: ResultGroup;
}

/** Hands records to the workers of one job. */
export class Coordinator implements Executor {
  readonly concurrency: number;
  /** The id of the job. */
  readonly job: string;
  readonly #options: CoordinatorOptions;
  readonly #connection: RedisConnection;
  readonly #keys: JobKeys;
  readonly #lock: JobLock;
  readonly #spec: JobSpec;
  readonly #work: WorkStream;
  readonly #results: ResultReader;
  readonly #open = new OpenRecords();
  readonly #answered = new IndexSet();
  /** What an earlier run has left in Redis, by index. */
  readonly #existing = new Map<number, ListedRecord>();
  readonly #early = new Map<number, EarlyResult>();
  readonly #counts: FleetCounts = {
    duplicates: { answers: 0, cost: 0, unpriced: 0 },
    reassigned: 0,
    hedged: 0,
  };
  readonly #stragglers = new StragglerWatch();
  readonly #rate = new RecentCount();
  /** Workers that have left because of an error, with the reason and the time. */
  readonly #left = new Map<string, { name: string; reason: string; at: number }>();
  /** Records that are being added again. */
  readonly #sending = new Set<number>();
  #ready: Ready[] = [];
  #workers: WorkerStatus[] = [];
  #records: Iterator<IndexedRecord> | AsyncIterator<IndexedRecord> | undefined;
  #inputEnded = false;
  #lastIndex = -1;
  #finished = 0;
  #perSecond = 0;
  #filling: Promise<void> | undefined;
  #reconciling: Promise<void> | undefined;
  /** Whether records may be missing in Redis. */
  #isUnsure = false;
  /** Whether the job itself may be missing in Redis. */
  #isForgotten = false;
  /** Whether the streams begin from the start. */
  #isReset = false;
  #hasOrphans = false;
  #comparedAt = performance.now();
  #isStopping = false;
  #isWithdrawn = false;
  #isAborted = false;
  #isComplete = false;
  #isClosed = false;
  #failure: { error: unknown } | undefined;
  #wake: () => void = () => {};
  readonly #stopped = Promise.withResolvers<{ done: true; value: undefined }>();
  readonly #ending = new AbortController();
  readonly #unwatch: () => void;

  private constructor(options: CoordinatorOptions, keys: JobKeys, lock: JobLock, spec: JobSpec) {
    const { connection, job, concurrency = MIN_WINDOW, done = 0 } = options;
    this.#options = options;
    this.#connection = connection;
    this.#keys = keys;
    this.#lock = lock;
    this.#spec = spec;
    this.job = job;
    this.concurrency = concurrency;
    this.#finished = done;
    this.#work = new WorkStream(connection, keys);
    this.#results = new ResultReader(connection, keys);
    this.#unwatch = connection.watch({
      onDown: ({ message }) => this.#note(`${message}; waiting for it.`),
      onReset: () => {
        this.#isForgotten = this.#isReset = this.#isUnsure = true;
        this.#wake();
      },
      // It may have lost the last seconds, or hours.
      onRestart: () => this.#isForgotten = true,
      onUp: () => {
        this.#note("Redis can be used again.");
        this.#isUnsure = true;
        this.#wake();
      },
    });
  }

  /**
   * Creates a job, or continues the one that an earlier run has left.
   *
   * @throws {ConfigurationError} if another process runs the job
   * @throws {RedisUnavailableError} if Redis cannot be used
   */
  static async open(options: CoordinatorOptions): Promise<Coordinator> {
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
    const coordinator = new Coordinator(options, keys, lock, spec);
    try {
      await coordinator.#openJob();
      await coordinator.#beat();
    } catch (error) {
      await coordinator.close();
      throw error;
    }
    return coordinator;
  }

  get retries(): number {
    return this.#results.retries;
  }

  get hasHealthyEndpoint(): boolean {
    return this.#usableWorkers().some(({ isHealthy }) => isHealthy);
  }

  /** What is known about the fleet. */
  get view(): FleetView {
    const refusals = this.#workers.filter(({ age }) => age < SILENT)
      .flatMap(({ name, refusals }) => {
        const reason = refusals?.[this.job];
        return reason === undefined ? [] : [{ worker: name, reason }];
      });
    return {
      duplicates: { ...this.#counts.duplicates },
      reassigned: this.#counts.reassigned,
      hedged: this.#counts.hedged,
      workers: this.#liveWorkers(),
      refusals,
      isConnected: this.#connection.isUp,
    };
  }

  async *run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<Outcome[], void, void> {
    this.#records = Symbol.asyncIterator in records
      ? records[Symbol.asyncIterator]()
      : records[Symbol.iterator]();
    let isBeating = false;
    const beat = setInterval(() => {
      if (isBeating) return;
      isBeating = true;
      this.#beat().catch(() => {}).finally(() => isBeating = false);
    }, BEAT);
    try {
      await this.#takeOver();
      void this.#readResults();
      while (!this.#isAborted) {
        this.#proceed();
        if (this.#ready.length > 0) {
          const group = this.#ready;
          this.#ready = [];
          yield group.map(({ outcome }) => outcome);
          this.#written(group);
        } else if (this.#isFinished()) break;
        else await this.#changed();
      }
      if (!this.#isAborted) await this.#closing();
      this.#isComplete = !this.#isAborted && this.#open.count === 0;
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      clearInterval(beat);
      this.#ending.abort();
      this.#wake();
      Promise.resolve(this.#records.return?.()).catch(() => {});
    }
  }

  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#stopped.resolve({ done: true, value: undefined });
    void this.#withdraw();
    this.#wake();
  }

  abort(): void {
    this.stop();
    this.#isAborted = true;
    this.#wake();
  }

  /**
   * Ends the job in Redis, unless workers still have records of it: their results wait for the next run. Call it once
   * the result file is closed.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ending.abort();
    this.#unwatch();
    this.#results.close();
    try {
      if (!this.#isComplete) return await this.#lock.release();
      const { spec, state, lock, work, done } = this.#keys;
      const { jobs } = new FleetKeys(this.#connection);
      await this.#connection.run(END_JOB, [spec, state, lock, work, done, jobs], [
        this.job,
        ENDED_TTL,
        this.#lock.owner,
      ]);
    } catch {
      // It expires.
    }
  }

  #note(text: string): void {
    if (!this.#ending.signal.aborted) this.#options.onNote?.(text);
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  #isFinished(): boolean {
    if (this.#filling !== undefined || this.#reconciling !== undefined) return false;
    if (this.#isStopping) return this.#isWithdrawn && this.#open.count === 0;
    return this.#inputEnded && this.#open.count === 0;
  }

  /** Ends the run with an error, after what is in progress. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.stop();
  }

  async #openJob(): Promise<void> {
    const { spec, state, work, done, streams } = this.#keys;
    await this.#connection.run(OPEN_JOB, [spec, state, work, done], [
      JSON.stringify(this.#spec),
      this.#spec.generation,
      GROUP,
      JOB_TTL,
      streams,
    ]);
  }

  /** Gives a sign of life, deletes results that are on disk, and looks at the workers. */
  async #beat(): Promise<void> {
    if (!this.#connection.isUp || !await this.#holdsLock()) return;
    const trim = this.#results.trim();
    if (trim !== undefined) await this.#connection.command(trim);
    await this.#refreshWorkers();
    this.#perSecond = this.#rate.rate(this.#finished, performance.now());
    if (this.#options.hedge) await this.#hedge();
    const silence = this.#hasOrphans ? ORPHAN_INTERVAL : SILENCE;
    if (this.#open.count > 0 && performance.now() - this.#comparedAt > silence) {
      this.#isUnsure = true;
    }
    this.#endWithoutWorkers();
    this.#wake();
  }

  /** Renews the lock. If another process has taken it, this run ends and leaves the job to that one. */
  async #holdsLock(): Promise<boolean> {
    try {
      if (await this.#lock.renew(this.#finished)) this.#isForgotten = this.#isUnsure = true;
      return true;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.#failure ??= { error };
      this.#isStopping = this.#isWithdrawn = this.#isAborted = true;
      this.#stopped.resolve({ done: true, value: undefined });
      this.#wake();
      return false;
    }
  }

  async #refreshWorkers(): Promise<void> {
    this.#workers = await readWorkers(this.#connection);
  }

  #liveWorkers(): WorkerStatus[] {
    return this.#workers.filter(({ job, age }) => job === this.job && age < SILENT);
  }

  /** The workers that take records. */
  #usableWorkers(): WorkerStatus[] {
    return this.#liveWorkers().filter(({ id, refusals, state, age }) =>
      state === "working" && refusals?.[this.job] === undefined &&
      // Its report may be older.
      (this.#left.get(id)?.at ?? -Infinity) < performance.now() - age * 1000 - BEAT
    );
  }

  get #window(): number {
    const sum = this.#liveWorkers().reduce((sum, { concurrency }) => sum + concurrency, 0);
    const wanted = Math.max(MIN_WINDOW, 2 * sum + Math.ceil(this.#perSecond / 2));
    return Math.min(wanted, MAX_WINDOW);
  }

  /** Starts what can be done now. */
  #proceed(): void {
    if (this.#reconciling !== undefined || !this.#connection.isUp) return;
    if (this.#isUnsure) {
      this.#isUnsure = false;
      this.#reconciling = this.#reconcile().catch((error) => {
        this.#isUnsure = true;
        if (!(error instanceof RedisUnavailableError)) this.#fail(error);
      }).finally(() => {
        this.#reconciling = undefined;
        this.#wake();
      });
      return;
    }
    if (this.#filling !== undefined || !this.#mayFill) return;
    this.#filling = this.#fill().catch((error) => {
      if (error instanceof RedisUnavailableError) this.#isUnsure = true;
      else this.#fail(error);
    }).finally(() => {
      this.#filling = undefined;
      this.#wake();
    });
  }

  get #mayFill(): boolean {
    return !this.#inputEnded && !this.#isStopping && this.#ready.length < MAX_READY &&
      this.#open.hasRoom(this.#window);
  }

  /** Reads what an earlier run has left. */
  async #takeOver(): Promise<void> {
    while (!this.#isAborted) {
      try {
        await this.#work.begin();
        for (const listed of await this.#work.list()) this.#existing.set(listed.index, listed);
        this.#handle(await this.#results.drain());
        return;
      } catch (error) {
        if (!(error instanceof RedisUnavailableError)) throw error;
        await systemClock.sleep(RETRY_DELAY);
      }
    }
  }

  /** Reads records and adds them to the window. */
  async #fill(): Promise<void> {
    while (this.#mayFill) {
      const chunk: { index: number; hash: string; text: string }[] = [];
      let size = 0;
      while (this.#mayFill && chunk.length < MAX_CHUNK && size < MAX_CHUNK_SIZE) {
        const next = this.#records!.next();
        // A source that waits for its next record must not keep the batch from stopping.
        const step = next instanceof Promise
          ? await Promise.race([next, this.#stopped.promise])
          : next;
        if (this.#isStopping) break;
        if (step.done) {
          this.#inputEnded = true;
          break;
        }
        this.#lastIndex = Math.max(this.#lastIndex, step.value.index);
        const encoded = await this.#opened(step.value);
        if (encoded === undefined) continue;
        chunk.push(encoded);
        size += encoded.text.length;
      }
      if (!await this.#work.add(chunk)) {
        this.#isUnsure = true;
        return;
      }
      await this.#removeStale();
      if (this.#ready.length > 0) this.#wake();
    }
  }

  /** Opens a record. Returns it if it has to be added to the stream. */
  async #opened(record: IndexedRecord) {
    const { index } = record;
    let encoded: { hash: string; text: string };
    try {
      checkRecord(record, true);
      encoded = await encodeSentRecord(record);
    } catch (error) {
      const outcome = { record, ok: false, error: recordError(record, error) } as const;
      this.#ready.push({ outcome, group: undefined });
      return undefined;
    }
    const { hash, text } = encoded;
    const early = this.#early.get(index);
    const existing = this.#existing.get(index);
    this.#early.delete(index);
    if (early !== undefined && early.result.h === hash) {
      this.#open.add({ record, hash, size: text.length, copies: 1, failures: 0 });
      this.#handleResult(early.result, early.group);
      return undefined;
    }
    if (early !== undefined) this.#results.written(early.group.id);
    this.#open.add({ record, hash, size: text.length, copies: 1, failures: 0 });
    if (existing?.hash === hash) {
      this.#existing.delete(index);
      return undefined;
    }
    return { index, hash, text };
  }

  /** Removes records of an earlier run that this one does not need: they are done, or have changed. */
  async #removeStale(): Promise<void> {
    if (this.#existing.size === 0 && this.#early.size === 0) return;
    const isOld = (index: number) => this.#inputEnded || index <= this.#lastIndex;
    const stale = [...this.#existing.values()].filter(({ index }) => isOld(index));
    for (const { index } of stale) this.#existing.delete(index);
    for (const [index, { group }] of this.#early) {
      if (!isOld(index) || this.#open.get(index) !== undefined) continue;
      this.#early.delete(index);
      this.#results.written(group.id);
    }
    await this.#work.remove(stale.map(({ id }) => id));
  }

  async #readResults(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        if (this.#ready.length >= MAX_READY) await systemClock.sleep(10, signal);
        else this.#handle(await this.#results.next());
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof RedisUnavailableError)) this.#fail(error);
        await systemClock.sleep(RETRY_DELAY, signal).catch(() => {});
      }
    }
  }

  #handle(groups: readonly ResultGroup[]): void {
    if (groups.length === 0) return;
    this.#comparedAt = performance.now();
    for (const group of groups) {
      for (const result of group.results) this.#handleResult(result, group);
    }
    this.#wake();
  }

  #handleResult(result: WorkResult, group: ResultGroup): void {
    const open = this.#open.get(result.i);
    if (open === undefined || open.hash !== result.h) return this.#handleUnexpected(result, group);
    const isGivenBack = result.b || result.r === undefined && result.e === undefined;
    if (result.x) void this.#workerLeft(group.worker, decodeError(result.e!));
    if (isGivenBack) {
      this.#results.written(group.id);
      if (result.c !== undefined) this.#counts.duplicates.cost += result.c;
      if (this.#open.dropCopy(result.i)) this.#again(open, result, group);
      // A second copy that came to the worker that has the first.
      else this.#counts.hedged = Math.max(0, this.#counts.hedged - 1);
      return;
    }
    this.#open.delete(result.i);
    this.#answer(open, result, group.id);
  }

  #answer({ record }: OpenRecord, result: WorkResult, group: string | undefined): void {
    this.#answered.add(record.index);
    this.#finished++;
    if ((result.d ?? 1) > 1) this.#counts.reassigned++;
    if (result.r !== undefined && result.f !== undefined && !result.r.cached) {
      this.#stragglers.add(result.f.duration);
    }
    this.#ready.push({ outcome: outcomeOf(record, result), group });
  }

  /** A result of a record that is answered, or that was not read yet. */
  #handleUnexpected(result: WorkResult, group: ResultGroup): void {
    const { i, h } = result;
    const isGivenBack = result.b || result.r === undefined && result.e === undefined;
    const isNew = !this.#answered.has(i) && !this.#open.get(i) && !this.#early.has(i) &&
      i > this.#lastIndex;
    if (isNew && !isGivenBack) {
      this.#early.set(i, { result, group });
      return;
    }
    this.#results.written(group.id);
    if (isNew && this.#existing.get(i)?.hash === h) this.#existing.delete(i);
    if (!this.#answered.has(i)) return;
    const { duplicates } = this.#counts;
    const cost = costOf(result);
    if (!isGivenBack) duplicates.answers++;
    if (cost === null) duplicates.unpriced++;
    else duplicates.cost += cost;
  }

  /** Gives a record to another worker; or to nobody, if the batch stops or too many have failed. */
  #again(open: OpenRecord, result: WorkResult, group: ResultGroup): void {
    const { index } = open.record;
    if (this.#isStopping) return this.#open.delete(index);
    if (result.e !== undefined && ++open.failures >= MAX_FAILURES) {
      this.#open.delete(index);
      return this.#answer(open, result, undefined);
    }
    open.copies = 1;
    // An error of the worker: it must have left before the record is in the stream again.
    const isFailure = result.e !== undefined;
    void this.#sendAgain([open], isFailure ? group.worker : undefined);
  }

  async #sendAgain(opens: readonly OpenRecord[], leaving?: string): Promise<void> {
    for (const { record } of opens) this.#sending.add(record.index);
    try {
      if (leaving !== undefined) await systemClock.sleep(BEAT / 4, this.#ending.signal);
      const encoded = await Promise.all(opens.map(async ({ record }) => ({
        index: record.index,
        ...await encodeSentRecord(record),
      })));
      const wanted = encoded.filter(({ index }) => this.#open.get(index) !== undefined);
      if (this.#isStopping) {
        for (const { index } of wanted) this.#open.delete(index);
      } else if (!await this.#work.add(wanted)) this.#isUnsure = true;
    } catch (error) {
      this.#isUnsure = true;
      if (!(error instanceof RedisUnavailableError) && !this.#ending.signal.aborted) {
        this.#fail(error);
      }
    } finally {
      for (const { record } of opens) this.#sending.delete(record.index);
    }
    this.#wake();
  }

  /** A worker has left because of an error. Without another one, the batch ends with it. */
  async #workerLeft(id: string, error: FlexLLMError): Promise<void> {
    const name = this.#workers.find((worker) => worker.id === id)?.name ?? id;
    const isKnown = this.#left.has(id);
    this.#left.set(id, { name, reason: error.message, at: performance.now() });
    // The budget is that of the whole job.
    if (error.code === "budget_exceeded") return this.#fail(error);
    try {
      await this.#refreshWorkers();
    } catch {
      return;
    }
    if (this.#usableWorkers().length === 0) return this.#fail(error);
    if (!isKnown) this.#note(`Worker ${name} has left the job: ${error.message}`);
  }

  /** Tells workers to finish, and takes back what none of them has. */
  async #withdraw(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        // What was being added is in the stream now.
        await this.#filling;
        await this.#reconciling;
        if (!await this.#holdsLock()) return;
        await this.#setPhase("stopping");
        for (const index of await this.#work.withdraw()) {
          if (this.#open.dropCopy(index)) this.#open.delete(index);
        }
        await this.#refreshWorkers();
        break;
      } catch {
        await systemClock.sleep(RETRY_DELAY, signal).catch(() => {});
      }
    }
    this.#isWithdrawn = true;
    this.#wake();
  }

  /** Leaves the records of lost workers to the next run, once the batch stops and nobody else is there. */
  #endWithoutWorkers(): void {
    if (!this.#isStopping || !this.#isWithdrawn || this.#liveWorkers().length > 0) return;
    this.#open.clear();
    this.#wake();
  }

  async #setPhase(phase: string): Promise<void> {
    await this.#connection.command(["HSET", this.#keys.state, "phase", phase]);
  }

  /** Sends the workers away, and waits a moment for the cost of second copies. */
  async #closing(): Promise<void> {
    if (!this.#connection.isUp) return;
    try {
      await this.#setPhase("closing");
      if (this.#counts.hedged + this.#counts.reassigned === 0) return;
      const end = performance.now() + CLOSING_TIME;
      while (performance.now() < end && (await this.#work.list()).length > 0) {
        await systemClock.sleep(100);
      }
      this.#handle(await this.#results.drain());
    } catch {
      // Only a count is missing.
    }
  }

  #written(group: readonly Ready[]): void {
    for (const { group: id } of group) if (id !== undefined) this.#results.written(id);
  }

  /** Compares the window with what Redis has, and adds what is missing. */
  async #reconcile(): Promise<void> {
    this.#comparedAt = performance.now();
    await this.#filling;
    if (!await this.#holdsLock()) return;
    if (this.#isForgotten) {
      await this.#openJob();
      if (this.#isStopping) await this.#setPhase("stopping");
      if (this.#isReset) {
        this.#results.reset();
        this.#existing.clear();
      }
      this.#isForgotten = this.#isReset = false;
      this.#hasOrphans = true;
      // Workers report what they still have.
      await systemClock.sleep(RESET_GRACE, this.#ending.signal);
    }
    await this.#work.begin();
    // In this order: a record leaves the work stream in the moment in which its result arrives.
    const listed = await this.#work.list();
    this.#handle(await this.#results.drain());
    const held = await this.#heldByWorkers();
    this.#hasOrphans = held.size > 0;
    const found = new Set<number>(held);
    const stale: string[] = [];
    for (const { id, index, hash } of listed) {
      const isExisting = this.#existing.get(index)?.id === id;
      const isOpen = this.#open.get(index)?.hash === hash;
      if (isOpen) found.add(index);
      else if (!isExisting) stale.push(id);
    }
    await this.#work.remove(stale);
    const missing = [...this.#open.values()].filter(({ record: { index } }) =>
      !found.has(index) && !this.#sending.has(index)
    );
    for (const open of missing) open.copies = 1;
    for (let i = 0; i < missing.length; i += MAX_CHUNK) {
      await this.#sendAgain(missing.slice(i, i + MAX_CHUNK));
    }
  }

  /** The records that workers still have after Redis has lost its data. */
  async #heldByWorkers(): Promise<Set<number>> {
    if (!this.#hasOrphans) return new Set();
    await this.#refreshWorkers();
    const held = new Set<number>();
    const keys = this.#workers.map(({ id }) => this.#keys.held(id));
    const reports = await this.#connection.pipeline(keys.map((key) => ["GET", key] as const));
    for (const report of reports as (string | null)[]) {
      if (report === null) continue;
      for (const index of JSON.parse(report) as number[]) held.add(index);
    }
    return held;
  }

  /** Sends a second copy of records that take much longer than others. */
  async #hedge(): Promise<void> {
    if (!this.#inputEnded || this.#isStopping) return;
    const { limit } = this.#stragglers;
    const workers = this.#usableWorkers();
    const free = (except: string) =>
      workers.reduce(
        (sum, { id, concurrency, inFlight }) =>
          id === except ? sum : sum + Math.max(0, concurrency - inFlight),
        0,
      );
    for (const { id, oldest = [] } of workers) {
      const slow = oldest.filter(([, seconds]) => seconds > limit)
        .map(([index]) => this.#open.get(index))
        .filter((open) => open !== undefined && open.copies === 1)
        .slice(0, free(id)) as OpenRecord[];
      if (slow.length === 0) continue;
      for (const open of slow) open.copies = 2;
      this.#counts.hedged += slow.length;
      await this.#sendAgain(slow);
    }
  }
}
