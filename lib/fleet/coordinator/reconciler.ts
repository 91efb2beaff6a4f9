/**
 * Compares the open records with what Redis has, after a failure or a long silence, and adds what is missing.
 *
 * @module
 */
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { JobRun } from "./job_run.ts";
import type { Resender } from "./resender.ts";
import type { ResultCollector } from "./result_collector.ts";

/** Milliseconds without a result after which the records are compared. */
const SILENCE = 30_000;
/** The same while workers have records that Redis has forgotten. */
const ORPHAN_INTERVAL = 5000;
/** Milliseconds that workers need to report what they have after Redis has lost its data. */
const RESET_GRACE = 4000;
/** Milliseconds before the server is tried again. */
const RETRY_DELAY = 250;

/** Keeps Redis in line with the open records. */
export class Reconciler {
  readonly #run: JobRun;
  readonly #collector: ResultCollector;
  readonly #resender: Resender;
  #hasOrphans = false;
  /** Whether the server has lost data since the last comparison that was completed. */
  #wasLost = false;
  #comparedAt = performance.now();

  constructor(run: JobRun, collector: ResultCollector, resender: Resender) {
    this.#run = run;
    this.#collector = collector;
    this.#resender = resender;
  }

  /** Whether no result has arrived for so long that something may be lost. */
  get isDue(): boolean {
    const since = Math.max(this.#comparedAt, this.#collector.lastAt);
    return performance.now() - since > (this.#hasOrphans ? ORPHAN_INTERVAL : SILENCE);
  }

  /** Reads what an earlier run has left. Waits for a server that cannot be used. */
  async takeOver(): Promise<void> {
    const { work, leftovers, results } = this.#run;
    while (!this.#run.isAborted) {
      try {
        await work.begin();
        for (const listed of await work.list()) leftovers.addRecord(listed);
        this.#collector.handle(await results.drain());
        await this.#run.job.setCompared(this.#run.connection.runId);
        return;
      } catch (error) {
        if (!(error instanceof RedisUnavailableError)) throw error;
        await systemClock.sleep(RETRY_DELAY);
      }
    }
  }

  /**
   * Compares the records; none may be added to the stream meanwhile.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async reconcile(): Promise<void> {
    const { work, results } = this.#run;
    this.#comparedAt = performance.now();
    if (!await this.#run.holdsLock()) return;
    this.#wasLost ||= this.#run.mayLackJob;
    // Also if the server was lost again during the last attempt: workers may not have reported what they have.
    if (this.#wasLost) await this.#createAgain();
    await work.begin();
    // In this order: a record leaves the work stream in the moment in which its result arrives.
    const listed = await work.list();
    this.#collector.handle(await results.drain());
    const held = this.#hasOrphans ? await this.#run.roster.readHeld() : new Set<number>();
    this.#hasOrphans = held.size > 0;
    const found = new Set(held);
    const stale: string[] = [];
    for (const entry of listed) {
      // The server came back with an older state, in which no worker had it.
      if (this.#wasLost && held.has(entry.index)) stale.push(entry.id);
      else if (this.#run.open.get(entry.index)?.hash === entry.hash) found.add(entry.index);
      else if (!this.#run.leftovers.hasEntry(entry)) stale.push(entry.id);
    }
    await work.remove(stale);
    await this.#run.job.setCompared(this.#run.connection.runId);
    // Restarted meanwhile: what was compared may have changed.
    if (!this.#run.mayLackJob) this.#wasLost = false;
    await this.#sendMissing(found);
  }

  async #createAgain(): Promise<void> {
    const run = this.#run;
    await run.job.create();
    if (run.isStopping) await run.job.setPhase("stopping");
    if (run.hasNewStreams) {
      run.results.reset();
      run.leftovers.clearRecords();
    }
    run.mayLackJob = run.hasNewStreams = false;
    this.#hasOrphans = true;
    // Workers report what they still have.
    await systemClock.sleep(RESET_GRACE, run.signal);
  }

  async #sendMissing(found: ReadonlySet<number>): Promise<void> {
    const missing = [...this.#run.open.values()].filter(({ record: { index } }) =>
      !found.has(index) && !this.#resender.isSending(index)
    );
    for (const open of missing) open.copies = 1;
    await this.#resender.send(missing);
  }
}
