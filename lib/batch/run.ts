/**
 * One run of a batch: records in, items out, each written to the journal before it is counted.
 *
 * @module
 */
import type { ChatOptions } from "../chat/options.ts";
import { withRecordOptions } from "../chat/record_options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Journal } from "./journal/journal.ts";
import {
  errorRecord,
  inputIdentity,
  recordedResult,
  type ResultRecord,
  successRecord,
} from "./journal/result_line.ts";
import type { CallHooks, RetryNotice } from "../scheduling/scheduler.ts";
import type { Completions } from "./completions.ts";
import {
  AbortedError,
  ConnectionError,
  FlexLLMError,
  HttpError,
  InternalError,
  InvalidInputError,
  JournalError,
} from "../errors.ts";
import type { BatchItem } from "./items.ts";
import type { BatchOptions } from "./options.ts";
import type { BatchRecord } from "../chat/record.ts";
import { isEndpointFault } from "../scheduling/endpoint_limits.ts";
import { type BatchSummary, countFailure, countResult, emptySummary } from "./summary.ts";
import { type Outcome, type Slot, SlotPool } from "./slot_pool.ts";
import { encodingProblem, recordProblem } from "./record_problem.ts";

/** Failures after which nothing further is worth sending. */
const STOPPING_CODES: ReadonlySet<string> = new Set([
  "budget_exceeded",
  "quota_exceeded",
  "unavailable",
]);
/** How many of these end a batch in which nothing was answered yet. */
const HOPELESS_START = 10;
/** How many in a row end one in which something was, or had been before this run. */
const HOPELESS_LATER = 100;

/** Records that wait for a retry at the same time, at most. */
const MAX_WAITING = 1000;

/** A record and its slot in the input. */
export type IndexedRecord = BatchRecord & {
  index: number;
  /** The line of the input that it came from, counted from 1. */
  line?: number;
};

/** The options of a run. */
export interface BatchRunOptions extends BatchOptions {
  /** Where results are kept; the caller opens and closes it. */
  journal?: Journal;
  /** Whether records that are done already are read back and yielded. */
  yieldRestored?: boolean;
  /** How many of the records are to be asked for; when it is known, slow endpoints are spared at the end. */
  pending?: number;
  /** Whether token counts are written to the journal; default yes. */
  recordUsage?: boolean;
  /** Whether costs are written to the journal; default yes. */
  recordCost?: boolean;
}

/** Some services say "forbidden" of a key, others of what they do not want to be asked. */
function mayBeTheRecords(error: FlexLLMError): boolean {
  return error instanceof HttpError && error.status === 403;
}

function invalidRecord(record: IndexedRecord, problem: string, cause?: unknown) {
  return new InvalidInputError(`record ${record.index}: ${problem}`, { cause });
}

type Answer = { result: ChatResult; restored: boolean };

/**
 * How one record waits: no longer than the run goes on, and without its slot, unless there has been
 * no answer yet: then others would only meet the same failure.
 */
class RecordHooks implements CallHooks {
  readonly waitForRecovery = true;
  readonly #slot: Slot;
  readonly #run: BatchRun;

  constructor(
    readonly waitSignal: AbortSignal,
    readonly remaining: (() => number) | undefined,
    slot: Slot,
    run: BatchRun,
  ) {
    this.#slot = slot;
    this.#run = run;
  }

  onRetryWait(notice: RetryNotice): void {
    this.#run.noteRetry(notice);
    if (this.#run.anyAnswer) this.#slot.park();
  }

  onRetryResume(): void {
    this.#slot.unpark();
  }
}

function succeededItem(record: IndexedRecord, { result, restored }: Answer): BatchItem {
  return { ...record, status: "success", result, restored };
}

/** One run of a batch. */
export class BatchRun {
  readonly #client: Completions;
  readonly #options: BatchRunOptions;
  readonly #cut = new AbortController();
  readonly #noWaits = new AbortController();
  readonly #concurrency: number;
  readonly #summary = emptySummary();
  readonly #begun = performance.now();
  readonly #remaining: (() => number) | undefined;
  /** What is asked with each record that has no options of its own. */
  readonly #chatOptions: ChatOptions;
  #asked = 0;
  #pool: SlotPool<IndexedRecord, Answer> | undefined;
  /** Failures in a row that are the endpoint's fault, not the record's. */
  #endpointFailures = 0;
  #anyAnswer = false;
  /** Whether the result file had answers. */
  readonly #answeredBefore: boolean;
  /** The failure that ends the batch when what is in flight has finished. */
  #hopeless: unknown;

  constructor(client: Completions, options: BatchRunOptions) {
    this.#client = client;
    this.#options = options;
    this.#concurrency = Math.min(
      options.concurrency ?? client.concurrencyLimit,
      client.concurrencyLimit,
    );
    const { pending } = options;
    this.#chatOptions = { ...options, signal: this.#cut.signal };
    this.#answeredBefore = (options.journal?.successes ?? 0) > 0;
    this.#remaining = pending === undefined ? undefined : () => pending - this.#asked;
  }

  /** Sends nothing more; what is in flight may finish, what waits for a retry does not. */
  stop(): void {
    this.#summary.interrupted = true;
    this.#drain();
  }

  /** Cuts what is in flight, too. */
  abort(): void {
    this.stop();
    this.#cut.abort();
  }

  #drain(): void {
    this.#pool?.stop();
    this.#noWaits.abort();
  }

  /** Whether a record has been answered. */
  get anyAnswer(): boolean {
    return this.#anyAnswer;
  }

  /** Counts a try that failed and will be made again. */
  noteRetry(notice: RetryNotice): void {
    this.#summary.retries++;
    this.#options.onRetry?.(notice);
  }

  /** The counts so far. */
  summary(): BatchSummary {
    const seconds = (performance.now() - this.#begun) / 1000;
    return { ...this.#summary, errors: { ...this.#summary.errors }, seconds };
  }

  /**
   * Yields what becomes of the records, those together that finish together. May be called once.
   *
   * @throws {FlexLLMError} when every further request would fail as the last ones did, or a result
   *   cannot be written
   */
  async *batches(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<BatchItem[], void, void> {
    const pool = this.#pool = new SlotPool(
      records,
      (record, slot) => this.#work(record, slot),
      {
        concurrency: this.#concurrency,
        maxWaiting: MAX_WAITING,
        admit: (record) => !this.#isPassedOver(record),
      },
    );
    if (this.#summary.interrupted) pool.stop();
    const { signal } = this.#options;
    const onAbort = () => this.abort();
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    let finished = false;
    try {
      for await (const outcomes of pool.outcomes()) yield this.#settle(outcomes);
      finished = true;
      if (this.#hopeless !== undefined) throw this.#hopeless;
      if (signal?.aborted) throw new AbortedError("the batch was cancelled");
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (!finished) this.abort();
    }
  }

  /** Whether a record is done already and nobody wants to see its result. */
  #isPassedOver(record: IndexedRecord): boolean {
    const { yieldRestored } = this.#options;
    if (yieldRestored || !this.#isDone(record)) return false;
    this.#summary.restored++;
    return true;
  }

  #isDone(record: IndexedRecord): boolean {
    const { journal, rerunChanged } = this.#options;
    if (journal === undefined) return false;
    return journal.isDone(record.index, inputIdentity(record), rerunChanged);
  }

  async #work(record: IndexedRecord, slot: Slot): Promise<Answer> {
    const { journal, yieldRestored } = this.#options;
    if (yieldRestored && this.#isDone(record)) {
      return { result: recordedResult(journal!.read(record.index)), restored: true };
    }
    this.#asked++;
    const options = record.options === undefined
      ? this.#chatOptions
      : withRecordOptions(this.#chatOptions, record.options);
    const problem = recordProblem(record, journal !== undefined);
    if (problem !== undefined) throw invalidRecord(record, problem);
    const hooks = new RecordHooks(this.#noWaits.signal, this.#remaining, slot, this);
    try {
      const result = await this.#client.complete(record.messages, options, hooks);
      return { result, restored: false };
    } catch (error) {
      if (error instanceof FlexLLMError) throw error;
      const problem = encodingProblem(record);
      // A bug that one record triggers must not stop the others.
      throw problem === undefined
        ? new InternalError(error)
        : invalidRecord(record, problem, error);
    }
  }

  /** Writes the results of records that finished together, counts them, and gives their items. */
  #settle(outcomes: readonly Outcome<IndexedRecord, Answer>[]): BatchItem[] {
    const { journal } = this.#options;
    const items: BatchItem[] = [];
    const lines: ResultRecord[] = [];
    for (const outcome of outcomes) {
      const item = outcome.ok
        ? succeededItem(outcome.record, outcome.value)
        : this.#failedItem(outcome.record, outcome.error);
      if (item === undefined) continue;
      items.push(item);
      if (item.status === "success" && !item.restored) this.#noteAnswer();
      if (journal === undefined) continue;
      if (item.status === "error") lines.push(errorRecord(item, item.error));
      else if (!item.restored) lines.push(this.#successLine(item, item.result));
    }
    journal?.append(lines);
    for (const item of items) this.#count(item);
    return items;
  }

  /** The item of a failure; none when the record is to be asked again by the next run. */
  #failedItem(record: IndexedRecord, error: unknown): BatchItem | undefined {
    if (!(error instanceof FlexLLMError) || error instanceof JournalError) {
      // Not thrown here: what finished with it, or is still in flight, is paid for and must be written.
      this.#giveUp(error);
      return undefined;
    }
    const isPaid = (error.partial?.cost ?? 0) > 0;
    const failed: BatchItem = { ...record, status: "error", error };
    if (error instanceof AbortedError) {
      // Not by this run: the client was closed, or its own signal fired, and no record can be sent.
      if (!this.#noWaits.signal.aborted) this.#giveUp(error);
      // Neither answered nor failed; but what was paid for it must not be forgotten.
      return isPaid ? failed : undefined;
    }
    const isEndpoints = error.fatal || isEndpointFault(error);
    this.#endpointFailures = isEndpoints ? this.#endpointFailures + 1 : 0;
    if (!this.#isHopeless(error, record)) return failed;
    this.#giveUp(error);
    // Its retries are used up: record it as failed like the ones before, and so what was paid for it.
    const isTried = isPaid || (isEndpoints && (!error.fatal || mayBeTheRecords(error)));
    return isTried ? failed : undefined;
  }

  /** Ends the batch with `error`; what is in flight may still be answered, and is paid for then. */
  #giveUp(error: unknown): void {
    this.#hopeless ??= error;
    this.#drain();
  }

  /** Whether the batch should stop at a failure that the next requests would meet as well. */
  #isHopeless(error: FlexLLMError, record: IndexedRecord): boolean {
    // Without fallback, what one endpoint fails says nothing of the others.
    const others = this.#client.stats.some(({ failures }) => failures === 0);
    if (others && isEndpointFault(error)) return false;
    if (error.fatal && !mayBeTheRecords(error)) {
      return STOPPING_CODES.has(error.code) || !this.#anyAnswer ||
        this.#endpointFailures > this.#concurrency;
    }
    const isForbidden = mayBeTheRecords(error);
    if (this.#anyAnswer && !isForbidden) return false;
    // What is wrong with the options of one record is wrong with all, unless they are its own.
    const isWrongUse = error.code === "configuration" && record.options === undefined;
    // What is left to ask may be what no server answers, unless there is none.
    const wasThere = this.#anyAnswer || this.#answeredBefore;
    const limit = wasThere && !(error instanceof ConnectionError) ? HOPELESS_LATER : HOPELESS_START;
    return isWrongUse || this.#endpointFailures >= limit;
  }

  #noteAnswer(): void {
    this.#endpointFailures = 0;
    this.#anyAnswer = true;
  }

  #successLine(record: IndexedRecord, result: ChatResult): ResultRecord {
    const { recordUsage = true, recordCost = true } = this.#options;
    const line = successRecord(record, result);
    if (!recordUsage) line.usage = undefined;
    if (!recordCost) line.cost = undefined;
    return line;
  }

  #count(item: BatchItem): void {
    if (item.status === "error") countFailure(this.#summary, item.error);
    else if (item.restored) this.#summary.restored++;
    else countResult(this.#summary, item.result);
  }
}
