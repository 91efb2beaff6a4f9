/**
 * The runs of a batch, one for each model, and their common counts and signals.
 *
 * @module
 */
import type { BatchItem } from "../../lib/batch/items.ts";
import { BatchRun, type BatchRunOptions } from "../../lib/batch/run.ts";
import { type BatchSummary, emptySummary } from "../../lib/batch/summary.ts";
import type { EndpointStats } from "../../lib/client/endpoint_stats.ts";
import { JournalError } from "../../lib/errors.ts";
import type { Executor, IndexedRecord } from "../../lib/batch/executor.ts";
import type { Stoppable } from "../signals.ts";
import type { ModelBatch } from "./model_batches.ts";

/** What happened to one model of a batch. */
export interface ModelOutcome {
  /** The name of the model; `undefined` for the configured endpoints. */
  name: string | undefined;
  summary: BatchSummary;
  /** Mean duration of the requests that were answered, in seconds; `undefined` without any. */
  latency: number | undefined;
  /** The error that ended the run of this model, if any. */
  failure: unknown;
}

/** How the run of one model is set up. */
export interface ModelRunOptions
  extends Pick<BatchRunOptions, "recordUsage" | "recordCost" | "onOutcomes"> {
  rerunChanged?: boolean;
}

/** What the run of a model needs of its share of the batch. */
export interface RunnableBatch {
  model: Pick<ModelBatch["model"], "name" | "client">;
  journal: ModelBatch["journal"];
  check: Pick<ModelBatch["check"], "total" | "pending">;
}

/** The run of one model. */
export class ModelRun {
  readonly #batch: RunnableBatch;
  readonly #run: BatchRun;
  #failure: unknown;
  /** The counts when the run ended: its time must not keep running. */
  #final: BatchSummary | undefined;
  #answered = 0;
  #seconds = 0;

  constructor(batch: RunnableBatch, executor: Executor, options: ModelRunOptions) {
    this.#batch = batch;
    const { check, journal } = batch;
    const restored = check.total - check.pending;
    this.#run = new BatchRun(executor, { ...options, journal, restored });
  }

  /** The name of the model. */
  get name(): string | undefined {
    return this.#batch.model.name;
  }

  /** The counts so far. */
  summary(): BatchSummary {
    return this.#final ?? this.#run.summary();
  }

  /** The endpoints that still have work; none once the run has ended. */
  get endpoints(): readonly EndpointStats[] {
    return this.#final === undefined ? this.#batch.model.client.stats : [];
  }

  /** Sends `records`, and passes their items to `onItem`. Never rejects. */
  async send(records: Iterable<IndexedRecord>, onItem: (item: BatchItem) => void): Promise<void> {
    try {
      for await (const items of this.#run.items(records)) {
        for (const item of items) {
          // Rows of provider jobs have no latency.
          if (item.status === "success" && !item.result.cached && item.result.latency > 0) {
            this.#answered++;
            this.#seconds += item.result.latency;
          }
          onItem(item);
        }
      }
    } catch (error) {
      this.#failure = error;
    }
    this.#final = this.#run.summary();
  }

  /** Starts no more records. */
  stop(): void {
    if (this.#final === undefined) this.#run.stop();
  }

  /** Stops and aborts the requests in flight. */
  abort(): void {
    if (this.#final === undefined) this.#run.abort();
  }

  /** What happened. */
  outcome(): ModelOutcome {
    return {
      name: this.name,
      summary: this.summary(),
      latency: this.#answered === 0 ? undefined : this.#seconds / this.#answered,
      failure: this.#failure,
    };
  }
}

/** The sums of several summaries; the longest time. */
export function totalSummary(summaries: readonly BatchSummary[]): BatchSummary {
  const total = emptySummary();
  for (const summary of summaries) {
    total.succeeded += summary.succeeded;
    total.failed += summary.failed;
    total.restored += summary.restored;
    total.retries += summary.retries;
    total.refused += summary.refused;
    total.cached += summary.cached;
    total.promptTokens += summary.promptTokens;
    total.completionTokens += summary.completionTokens;
    total.cost += summary.cost;
    total.unpriced += summary.unpriced;
    total.seconds = Math.max(total.seconds, summary.seconds);
    total.interrupted ||= summary.interrupted;
    for (const [code, count] of Object.entries(summary.errors)) {
      total.errors[code] = (total.errors[code] ?? 0) + count;
    }
  }
  return total;
}

/** The runs of all models of a batch. A failure of one does not stop the others. */
export class ModelRuns implements Stoppable {
  readonly #runs: readonly ModelRun[];

  constructor(runs: readonly ModelRun[]) {
    this.#runs = runs;
  }

  /** The counts of all models so far. */
  summary(): BatchSummary {
    return totalSummary(this.#runs.map((run) => run.summary()));
  }

  /** The endpoints that still have work. */
  get endpoints(): EndpointStats[] {
    return this.#runs.flatMap((run) => run.endpoints);
  }

  /** The errors that ended runs. */
  failures(): unknown[] {
    return this.#runs.map((run) => run.outcome().failure)
      .filter((failure) => failure !== undefined);
  }

  /** Starts no more records. */
  stop(): void {
    for (const run of this.#runs) run.stop();
  }

  /** Stops and aborts the requests in flight. */
  abort(): void {
    for (const run of this.#runs) run.abort();
  }

  /**
   * Waits until all runs that `start` starts have ended. If the result file can no longer be written, stops
   * all of them: their answers would be lost.
   *
   * @param onFailure called with the failure of one model while others are still running
   */
  async all(
    start: (run: ModelRun, i: number) => Promise<void>,
    onFailure: (outcome: ModelOutcome) => void,
  ): Promise<ModelOutcome[]> {
    let running = this.#runs.length;
    await Promise.all(this.#runs.map(async (run, i) => {
      await start(run, i);
      running--;
      const outcome = run.outcome();
      if (outcome.failure === undefined) return;
      if (outcome.failure instanceof JournalError) this.stop();
      else if (running > 0) onFailure(outcome);
    }));
    return this.#runs.map((run) => run.outcome());
  }
}
