/**
 * Reads records from the input, and keeps a bounded window of them in Redis.
 *
 * @module
 */
import type { IndexedRecord } from "../../batch/executor.ts";
import { checkRecord, recordError } from "../../batch/record_problem.ts";
import { type EncodedRecord, encodeSentRecord } from "../record_codec.ts";
import { RecentCount } from "../recent_count.ts";
import type { JobRun } from "./job_run.ts";
import type { ResultCollector } from "./result_collector.ts";

/** Records in Redis before any worker is known. */
export const MIN_WINDOW = 64;
const MAX_WINDOW = 20_000;
/** Maximum records and characters that are sent to Redis at once. */
const MAX_CHUNK = 200;
const MAX_CHUNK_SIZE = 1024 * 1024;

type RecordIterator = Iterator<IndexedRecord> | AsyncIterator<IndexedRecord>;

/** A record for the work stream. */
type EncodedEntry = EncodedRecord & { index: number };

/** The records of one run. */
export class RecordFeed {
  readonly #run: JobRun;
  readonly #collector: ResultCollector;
  readonly #rate = new RecentCount();
  #records: RecordIterator = [][Symbol.iterator]();
  #hasEnded = false;
  /** How many records may be in Redis. */
  #window = MIN_WINDOW;

  constructor(run: JobRun, collector: ResultCollector) {
    this.#run = run;
    this.#collector = collector;
  }

  /** Sets the records to read. */
  start(records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>): void {
    this.#records = Symbol.asyncIterator in records
      ? records[Symbol.asyncIterator]()
      : records[Symbol.iterator]();
  }

  /** Whether all records were read. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether there is room for more records. */
  get hasRoom(): boolean {
    return !this.#hasEnded && !this.#run.isStopping && !this.#collector.isFull &&
      this.#run.open.hasRoom(this.#window);
  }

  /** Sizes the window: twice what the workers can do at once, and what they finish in half a second. */
  resizeWindow(): void {
    const perSecond = this.#rate.rate(this.#run.finished, performance.now());
    const slots = this.#run.roster.live.reduce((sum, { concurrency }) => sum + concurrency, 0);
    const wanted = Math.max(MIN_WINDOW, 2 * slots + Math.ceil(perSecond / 2));
    this.#window = Math.min(wanted, MAX_WINDOW);
  }

  /**
   * Reads records and adds them, as long as there is room.
   *
   * @throws {RedisUnavailableError} if the server cannot be used; records may be missing in Redis then
   */
  async fill(): Promise<void> {
    while (this.hasRoom) {
      const chunk = await this.#readChunk();
      if (!await this.#run.work.add(chunk)) {
        this.#run.mayLackRecords = true;
        return;
      }
      await this.#removeStale();
      if (this.#collector.hasOutcomes) this.#run.wake();
    }
  }

  /** Closes the input. */
  close(): void {
    Promise.resolve(this.#records.return?.()).catch(() => {});
  }

  async #readChunk(): Promise<EncodedEntry[]> {
    const chunk: EncodedEntry[] = [];
    let size = 0;
    while (this.hasRoom && chunk.length < MAX_CHUNK && size < MAX_CHUNK_SIZE) {
      const next = this.#records.next();
      // A source that waits for its next record must not keep the batch from stopping.
      const step = next instanceof Promise ? await Promise.race([next, this.#run.stopped]) : next;
      if (this.#run.isStopping) break;
      if (step.done) {
        this.#hasEnded = true;
        this.#run.leftovers.reach(Infinity);
        break;
      }
      const encoded = await this.#open(step.value);
      if (encoded === undefined) continue;
      chunk.push(encoded);
      size += encoded.text.length;
    }
    return chunk;
  }

  /** Opens a record. Returns it if it has to be added to the stream. */
  async #open(record: IndexedRecord): Promise<EncodedEntry | undefined> {
    const { open, leftovers, results } = this.#run;
    const { index } = record;
    leftovers.reach(index);
    let encoded: EncodedRecord;
    try {
      checkRecord(record, true);
      encoded = await encodeSentRecord(record);
    } catch (error) {
      this.#collector.addOutcome({ record, ok: false, error: recordError(record, error) });
      return undefined;
    }
    const { hash, text } = encoded;
    open.add({ record, hash, size: text.length, copies: 1, failures: 0 });
    const early = leftovers.takeResult(index);
    // A record that has failed before is sent again, as every run of a batch does.
    if (early?.result.r !== undefined && early.result.h === hash) {
      this.#collector.handleResult(early.result, early.group);
      return undefined;
    }
    if (early !== undefined) results.written(early.group.id);
    return leftovers.takeRecord(index, hash) ? undefined : { index, hash, text };
  }

  /** Removes records and results of an earlier run that this one does not need. */
  async #removeStale(): Promise<void> {
    const { entries, groups } = this.#run.leftovers.takeStale();
    for (const group of groups) this.#run.results.written(group);
    await this.#run.work.remove(entries);
  }
}
