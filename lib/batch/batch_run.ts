/**
 * One run of a batch: records in, items out, each written to the checkpoint before it is counted.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { errorRecord, recordedResult, successRecord } from "../checkpoint/record.ts";
import type { ChatClient } from "../client/chat_client.ts";
import { AbortedError, FlexLLMError } from "../errors.ts";
import type { BatchItem, BatchOptions, BatchRecord } from "./batch.ts";
import { type BatchSummary, countResult, emptySummary } from "./batch_summary.ts";
import { Engine, type Outcome, type Place } from "./engine.ts";

/** Records that wait for a retry at the same time, at most. */
const MAX_WAITING = 1000;

/** A record and its place in the input. */
export type IndexedRecord = BatchRecord & { index: number };

/** The options of a run. */
export interface BatchRunOptions extends BatchOptions {
  /** Where results are kept; the caller opens and closes it. */
  checkpoint?: Checkpoint;
  /** Whether records that are done already are read back and yielded. */
  yieldRestored?: boolean;
  /** Whether token counts are written to the checkpoint; default yes. */
  recordUsage?: boolean;
  /** Whether costs are written to the checkpoint; default yes. */
  recordCost?: boolean;
}

type Answer = { result: ChatResult; restored: boolean };

/** One run of a batch. */
export class BatchRun {
  readonly #client: ChatClient;
  readonly #options: BatchRunOptions;
  readonly #cut = new AbortController();
  readonly #concurrency: number;
  readonly #summary = emptySummary();
  readonly #begun = performance.now();
  #engine: Engine<IndexedRecord, Answer> | undefined;
  /** Failures in a row that every request to this endpoint would meet. */
  #fatalInARow = 0;

  constructor(client: ChatClient, options: BatchRunOptions) {
    this.#client = client;
    this.#options = options;
    this.#concurrency = Math.min(
      options.concurrency ?? client.concurrencyLimit,
      client.concurrencyLimit,
    );
  }

  /** Sends nothing more; what is in flight may finish. */
  stop(): void {
    this.#summary.interrupted = true;
    this.#engine?.stop();
  }

  /** Cuts what is in flight, too. */
  abort(): void {
    this.stop();
    this.#cut.abort();
  }

  /** The counts so far. */
  summary(): BatchSummary {
    const seconds = (performance.now() - this.#begun) / 1000;
    return { ...this.#summary, errors: { ...this.#summary.errors }, seconds };
  }

  /**
   * Yields what becomes of each record, as it finishes. May be called once.
   *
   * @throws {FlexLLMError} when every further request would fail as the last ones did, or a result
   *   cannot be written
   */
  async *items(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<BatchItem, void, void> {
    const engine = this.#engine = new Engine(
      this.#pending(records),
      (record, place) => this.#work(record, place),
      { concurrency: this.#concurrency, maxWaiting: MAX_WAITING },
    );
    if (this.#summary.interrupted) engine.stop();
    const { signal } = this.#options;
    const onAbort = () => this.abort();
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    let finished = false;
    try {
      for await (const outcome of engine.outcomes()) {
        const item = this.#settle(outcome);
        if (item !== undefined) yield item;
      }
      finished = true;
      if (signal?.aborted) throw new AbortedError("the batch was cancelled");
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (!finished) this.abort();
    }
  }

  async *#pending(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<IndexedRecord> {
    const { checkpoint, rerunChanged, yieldRestored } = this.#options;
    for await (const record of records) {
      if (!yieldRestored && checkpoint?.isDone(record.index, record.messages, rerunChanged)) {
        this.#summary.restored++;
      } else {
        yield record;
      }
    }
  }

  async #work(record: IndexedRecord, place: Place): Promise<Answer> {
    const { checkpoint, rerunChanged, yieldRestored } = this.#options;
    if (yieldRestored && checkpoint?.isDone(record.index, record.messages, rerunChanged)) {
      return { result: recordedResult(checkpoint.read(record.index)), restored: true };
    }
    const result = await this.#client.chatCompletions(record.messages, {
      ...this.#options,
      signal: this.#cut.signal,
      onRetryWait: () => {
        this.#summary.retries++;
        place.leave();
      },
      onRetryResume: place.return,
    });
    return { result, restored: false };
  }

  #settle(outcome: Outcome<IndexedRecord, Answer>): BatchItem | undefined {
    if (outcome.ok) return this.#succeed(outcome.record, outcome.value);
    const { record, error } = outcome;
    if (!(error instanceof FlexLLMError) || error.code.startsWith("checkpoint")) throw error;
    // Cut by us, so neither answered nor failed: it is asked again next time.
    if (error instanceof AbortedError) return undefined;
    return this.#fail(record, error);
  }

  #succeed(record: IndexedRecord, { result, restored }: Answer): BatchItem {
    const item = { ...record, status: "success" as const, result, restored };
    if (restored) {
      this.#summary.restored++;
      return item;
    }
    this.#fatalInARow = 0;
    const { recordUsage = true, recordCost = true } = this.#options;
    const line = successRecord(record, result);
    if (!recordUsage) line.usage = undefined;
    if (!recordCost) line.cost = undefined;
    this.#options.checkpoint?.append(line);
    countResult(this.#summary, result);
    return item;
  }

  #fail(record: IndexedRecord, error: FlexLLMError): BatchItem {
    if (error.fatal && this.#isHopeless(error)) throw error;
    if (!error.fatal) this.#fatalInARow = 0;
    this.#options.checkpoint?.append(errorRecord(record, error));
    this.#summary.failed++;
    this.#summary.errors[error.code] = (this.#summary.errors[error.code] ?? 0) + 1;
    return { ...record, status: "error", error };
  }

  /** Whether the batch should stop at a failure that the next requests would meet as well. */
  #isHopeless(error: FlexLLMError): boolean {
    this.#fatalInARow++;
    return error.code === "quota_exceeded" || this.#summary.succeeded === 0 ||
      this.#fatalInARow > this.#concurrency;
  }
}
