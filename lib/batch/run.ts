/**
 * One run of a batch: passes records to an executor, writes each result to the journal, then counts and
 * yields it.
 *
 * @module
 */
import type { ResponseFormat } from "../chat/options.ts";
import { AbortedError, FlexLLMError } from "../errors.ts";
import type { Executor, IndexedRecord, Outcome } from "./executor.ts";
import type { BatchItem } from "./items.ts";
import type { RunJournal } from "./journal/model_journal.ts";
import {
  errorRecord,
  inputIdentity,
  recordedResult,
  type ResultRecord,
  successRecord,
} from "./journal/result_line.ts";
import { BatchTrace } from "../telemetry/batch_trace.ts";
import { skipDone, withRestored } from "./restored.ts";
import { withRestoredValues } from "./restored_values.ts";
import { StopPolicy } from "./stop_policy.ts";
import {
  type BatchSummary,
  countFailure,
  countRejected,
  countResult,
  emptySummary,
} from "./summary.ts";

/** The options of a run. */
export interface BatchRunOptions {
  /** The result file. The caller opens and closes it. */
  journal?: RunJournal;
  /**
   * Redo records whose input differs from the journal's, instead of stopping.
   *
   * @default false
   */
  rerunChanged?: boolean;
  /**
   * Whether to read results that the journal already has and yield them as well.
   *
   * @default false
   */
  yieldRestored?: boolean;
  /** The response format of the batch; its Standard Schema checks restored results. */
  responseFormat?: ResponseFormat;
  /**
   * The number of records that were left out of the input because they are done. If set, the input only
   * has records that were checked against the journal, and they are not checked again.
   */
  restored?: number;
  /**
   * Whether to write token counts to the journal.
   *
   * @default true
   */
  recordUsage?: boolean;
  /**
   * Whether to write costs to the journal.
   *
   * @default true
   */
  recordCost?: boolean;
  /** Aborts the run. */
  signal?: AbortSignal;
  /** Called with outcomes once they are in the journal and counted. */
  onOutcomes?: (outcomes: readonly Outcome[]) => void;
}

/** A run of a batch over one executor. */
export class BatchRun {
  readonly #executor: Executor;
  readonly #options: BatchRunOptions;
  readonly #policy: StopPolicy;
  readonly #summary = emptySummary();
  readonly #startedAt = performance.now();
  #isStopping = false;
  #trace: BatchTrace | undefined;
  /** The failure that ends the run once the requests in flight have finished. */
  #failure: { error: unknown } | undefined;

  constructor(executor: Executor, options: BatchRunOptions = {}) {
    this.#executor = executor;
    this.#options = options;
    this.#summary.restored = options.restored ?? 0;
    this.#policy = new StopPolicy({
      concurrency: executor.concurrency,
      hadAnswers: (options.journal?.successes ?? 0) > 0,
    });
  }

  /** Starts no more records. Requests in flight can finish; records waiting for a retry do not. */
  stop(): void {
    this.#summary.interrupted = true;
    this.#isStopping = true;
    this.#executor.stop();
  }

  /** Stops and aborts the requests in flight. */
  abort(): void {
    this.#summary.interrupted = true;
    this.#isStopping = true;
    this.#executor.abort();
  }

  /** The counts so far. */
  summary(): BatchSummary {
    return {
      ...this.#summary,
      errors: { ...this.#summary.errors },
      retries: this.#executor.retries,
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }

  /**
   * Yields the items of records, grouped as they finish. Can be called once.
   *
   * @throws {FlexLLMError} when every further request would fail like the last one, or a result cannot be
   *   written
   * @throws {AbortedError} when the signal fired
   */
  async *items(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<BatchItem[], void, void> {
    const { signal } = this.#options;
    const onAbort = () => this.abort();
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    const trace = this.#trace = BatchTrace.start();
    if (trace !== undefined) this.#executor.traceAs?.(trace);
    let isFinished = false;
    try {
      yield* this.#groups(records);
      isFinished = true;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (signal?.aborted) throw new AbortedError("the batch was cancelled");
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (!isFinished) this.abort();
      trace?.end(this.#summary, this.#failureCode);
    }
  }

  async *#groups(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<BatchItem[], void, void> {
    const { journal, yieldRestored } = this.#options;
    if (journal !== undefined && yieldRestored) {
      const restore = (record: IndexedRecord) => this.#restore(record, journal);
      for await (const group of withRestored(this.#executor, records, restore)) {
        if ("outcomes" in group) yield this.#record(group.outcomes);
        else yield await this.#restored(group.restored);
      }
      return;
    }
    const isChecked = this.#options.restored !== undefined;
    const pending = journal === undefined || isChecked
      ? records
      : skipDone(records, (record) => this.#skip(record, journal));
    for await (const outcomes of this.#executor.run(pending)) yield this.#record(outcomes);
  }

  get #failureCode(): string | undefined {
    if (this.#failure === undefined) return undefined;
    const { error } = this.#failure;
    return error instanceof FlexLLMError ? error.code : "internal";
  }

  #isDone(record: IndexedRecord, journal: RunJournal): boolean {
    return journal.isDone(record.index, inputIdentity(record), this.#options.rerunChanged);
  }

  #skip(record: IndexedRecord, journal: RunJournal): boolean {
    // Counted with the results of this run. The executor skips it.
    if (this.#executor.isYielded?.(record.index)) return false;
    const isDone = this.#isDone(record, journal);
    if (isDone) this.#summary.restored++;
    return isDone;
  }

  #restore(record: IndexedRecord, journal: RunJournal): BatchItem | undefined {
    if (this.#executor.isYielded?.(record.index)) return undefined;
    if (!this.#isDone(record, journal)) return undefined;
    const result = recordedResult(journal.read(record.index));
    return { ...record, status: "success", result, restored: true };
  }

  /** Computes the parsed values of restored items, then counts them. */
  async #restored(items: BatchItem[]): Promise<BatchItem[]> {
    const checked = await withRestoredValues(items, this.#options.responseFormat);
    for (const item of checked) {
      if (item.status === "error") countRejected(this.#summary, item.error);
      else this.#summary.restored++;
    }
    return checked;
  }

  /** Writes outcomes to the journal, then counts them. Returns their items. */
  #record(outcomes: readonly Outcome[]): BatchItem[] {
    const items: BatchItem[] = [];
    const lines: ResultRecord[] = [];
    for (const outcome of outcomes) {
      const item = this.#item(outcome);
      if (item === undefined) continue;
      items.push(item);
      if (this.#options.journal !== undefined) lines.push(this.#line(item, outcome));
    }
    // Neighbors are copied together when the file is sorted, and fetch may answer requests in reverse order.
    this.#options.journal?.append(lines.sort((a, b) => a.index - b.index));
    for (const item of items) this.#count(item);
    this.#options.onOutcomes?.(outcomes);
    if (this.#trace !== undefined) {
      const failed = items.filter(({ status }) => status === "error").length;
      this.#trace.count("succeeded", items.length - failed);
      this.#trace.count("failed", failed);
    }
    return items;
  }

  /** The item of a record; `undefined` if it should be left to the next run. */
  #item(outcome: Outcome): BatchItem | undefined {
    if (outcome.ok) {
      this.#policy.answered();
      return { ...outcome.record, status: "success", result: outcome.result, restored: false };
    }
    const { record, error } = outcome;
    if (outcome.isCollected && error instanceof FlexLLMError) {
      return { ...record, status: "error", error };
    }
    const decision = this.#policy.failed(error, {
      hasOwnOptions: record.options !== undefined,
      hasHealthyEndpoint: this.#executor.hasHealthyEndpoint,
      isStopping: this.#isStopping,
    });
    if (decision.stop) {
      // Not thrown here: other outcomes of the group, and requests in flight, must still be written.
      this.#failure ??= { error };
      this.#isStopping = true;
      this.#executor.stop();
    }
    if (!decision.record || !(error instanceof FlexLLMError)) return undefined;
    return { ...record, status: "error", error };
  }

  #line(item: BatchItem, { facts, isCollected }: Outcome): ResultRecord {
    if (item.status === "error") return errorRecord(item, item.error, facts);
    const { recordUsage = true, recordCost = true } = this.#options;
    const line = successRecord(item, item.result, facts);
    // The time that a job takes says nothing about one of its rows.
    if (isCollected) line.latency = undefined;
    if (!recordUsage) line.usage = undefined;
    if (!recordCost) line.cost = undefined;
    return line;
  }

  #count(item: BatchItem): void {
    if (item.status === "error") countFailure(this.#summary, item.error);
    else countResult(this.#summary, item.result);
  }
}
