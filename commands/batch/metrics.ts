/**
 * Writes the metrics of a batch to the file of `--metrics-file`.
 *
 * @module
 */
import type { Outcome } from "../../lib/batch/executor.ts";
import { type BatchSummary, emptySummary } from "../../lib/batch/summary.ts";
import { BatchMetrics, type BatchState } from "../../lib/metrics/batch_metrics.ts";
import { batchNameOf, MetricsFile } from "../../lib/metrics/metrics_file.ts";
import { writeWarning } from "../terminal/sentences.ts";
import { type ModelRuns, totalSummary } from "./model_run.ts";

type MeasuredRuns = Pick<ModelRuns, "summary" | "endpoints">;

/** What the metrics need of a batch. */
export interface MeasuredBatch {
  /** Path of the metrics file. */
  file: string;
  /** Number of selected records, and those among them without a result. */
  check: { total: number; pending: number };
  /** USD, if there is a budget. */
  budget: number | undefined;
  /** USD that earlier runs spent. */
  spentBefore: number;
  /** Whether answers may come from the response cache. */
  isCacheOn: boolean;
  /** Whether this process sends requests itself. */
  hasEndpoints: boolean;
}

/** The counts of a batch, over all of its runs in this process. */
class BatchCounts {
  readonly #total: number;
  readonly #restored: number;
  readonly #hasEndpoints: boolean;
  /** What earlier runs did: live requests can follow provider jobs. */
  #before = emptySummary();
  #runs: MeasuredRuns | undefined;
  isRunning = true;

  constructor({ check: { total, pending }, hasEndpoints }: MeasuredBatch) {
    this.#hasEndpoints = hasEndpoints;
    this.#total = total;
    this.#restored = total - pending;
  }

  follow(runs: MeasuredRuns): void {
    this.#before = this.#summary();
    this.#runs = runs;
  }

  #summary(): BatchSummary {
    return this.#runs === undefined
      ? this.#before
      : totalSummary([this.#before, this.#runs.summary()]);
  }

  state(): BatchState {
    return {
      isRunning: this.isRunning,
      total: this.#total,
      // A second run counts what the first one did as restored.
      summary: { ...this.#summary(), restored: this.#restored },
      endpoints: this.#hasEndpoints && this.#runs?.endpoints || [],
    };
  }
}

/** The metrics of a batch, in a file. */
export class BatchMetricsFile implements AsyncDisposable {
  readonly #file: MetricsFile;
  readonly #counts: BatchCounts;
  /** Counts the calls of records that have ended. */
  readonly add: (outcomes: readonly Outcome[]) => void;

  private constructor(file: MetricsFile, counts: BatchCounts, metrics: BatchMetrics) {
    this.#file = file;
    this.#counts = counts;
    this.add = (outcomes) => metrics.add(outcomes);
  }

  /** Starts to write the file. */
  static async open(batch: MeasuredBatch): Promise<BatchMetricsFile> {
    const { file, isCacheOn, budget, spentBefore } = batch;
    const counts = new BatchCounts(batch);
    const metrics = await BatchMetrics.load({
      isCacheOn,
      budget,
      spentBefore,
      name: batchNameOf(file),
      state: () => counts.state(),
    });
    const written = new MetricsFile(file, {
      read: () => metrics.text(),
      onWarning: (text) => writeWarning(`${text}; the batch continues`),
    });
    return new BatchMetricsFile(written, counts, metrics);
  }

  /** Takes the counts from `runs` from now on, in addition to those of earlier ones. */
  follow(runs: MeasuredRuns): void {
    this.#counts.follow(runs);
  }

  /** Writes the file a last time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#counts.isRunning = false;
    await this.#file[Symbol.asyncDispose]();
  }
}
