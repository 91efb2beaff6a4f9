/**
 * The metrics of one batch in the text format of Prometheus.
 *
 * @module
 */
import type { Outcome } from "../batch/executor.ts";
import type { BatchSummary } from "../batch/summary.ts";
import type { EndpointStats } from "../client/endpoint_stats.ts";
import { BATCH_METRICS } from "./definitions.ts";
import { addBuildInfo, addEndpointMetrics } from "./endpoint_metrics.ts";
import { loadPromClient, MetricFactory } from "./prom_client.ts";
import { RequestMetrics } from "./request_metrics.ts";

/** The current state of a batch. */
export interface BatchState {
  /** Whether it has not ended. */
  isRunning: boolean;
  /** Number of selected records. */
  total: number;
  summary: Pick<BatchSummary, "succeeded" | "failed" | "restored" | "cost" | "errors">;
  endpoints: readonly EndpointStats[];
}

/** What is known when a batch starts. */
export interface BatchMetricsOptions {
  /** The value of the label `batch`, which distinguishes the files of several batches. */
  name: string;
  /** Whether answers may come from the response cache. */
  isCacheOn: boolean;
  /** USD, if there is a budget. */
  budget: number | undefined;
  /** USD that earlier runs spent. */
  spentBefore: number;
  /** Reads the state; called whenever the metrics are read. */
  state: () => BatchState;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
}

/** The metrics of a batch. */
export class BatchMetrics {
  readonly #metrics: MetricFactory;
  readonly #requests: RequestMetrics;
  readonly #isCacheOn: boolean;

  private constructor(metrics: MetricFactory, options: BatchMetricsOptions) {
    const { now = Date.now, budget, spentBefore, state } = options;
    this.#metrics = metrics;
    this.#isCacheOn = options.isCacheOn;
    metrics.registry.setDefaultLabels({ batch: options.name });
    addBuildInfo(metrics);
    metrics.value(BATCH_METRICS.running, () => state().isRunning ? 1 : 0);
    const startedAt = now() / 1000;
    metrics.value(BATCH_METRICS.startTime, () => startedAt);
    metrics.value(BATCH_METRICS.lastUpdate, () => now() / 1000);
    metrics.gauge(BATCH_METRICS.records, (set) => {
      const { total, summary: { succeeded, failed, restored } } = state();
      const pending = Math.max(0, total - succeeded - failed - restored);
      for (const [status, count] of Object.entries({ succeeded, failed, restored, pending })) {
        set({ status }, count);
      }
    });
    metrics.gauge(BATCH_METRICS.failures, (set) => {
      for (const [code, count] of Object.entries(state().summary.errors)) set({ code }, count);
    });
    metrics.value(BATCH_METRICS.spent, () => spentBefore + state().summary.cost);
    if (budget !== undefined) metrics.value(BATCH_METRICS.budget, () => budget);
    addEndpointMetrics(
      metrics,
      () => state().endpoints.map((each) => ({ ...each, name: each.endpoint })),
    );
    this.#requests = new RequestMetrics(metrics, false);
  }

  /** Creates the metrics, after loading the library. */
  static async load(options: BatchMetricsOptions): Promise<BatchMetrics> {
    return new BatchMetrics(new MetricFactory(await loadPromClient()), options);
  }

  /** Counts the calls of records that have ended. */
  add(outcomes: readonly Outcome[]): void {
    for (const { facts, isCollected } of outcomes) {
      if (facts === undefined) continue;
      const { cached, attempts } = facts;
      this.#requests.add({
        ...facts,
        operation: "chat",
        retries: Math.max(0, attempts - 1),
        cache: cached ? "hit" : this.#isCacheOn ? "miss" : "off",
        // The duration of a job says nothing about a single row.
        ...isCollected ? { duration: NaN, queued: NaN } : undefined,
      });
    }
  }

  /** Reads the metrics as text. */
  text(): Promise<string> {
    this.#requests.flush();
    return this.#metrics.registry.metrics();
  }
}
