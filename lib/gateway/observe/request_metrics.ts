/**
 * Counts requests, times, tokens and costs for Prometheus.
 *
 * The names and labels are an interface: dashboards and alerts use them. The values of every label are bounded,
 * so that clients cannot create any number of time series.
 *
 * @module
 */
import type { Counter, Histogram, Registry } from "prom-client";
import type { GatewayFacts } from "../gateway_facts.ts";
import { DeferredCounter } from "./deferred_counter.ts";

/** The library. */
export type PromClient = Pick<
  typeof import("prom-client"),
  "Counter" | "Gauge" | "Histogram" | "Registry"
>;

/** Upper bounds in seconds. Answers take from milliseconds (cached) to ten minutes (thinking). */
const ANSWER_BUCKETS = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  ...[5, 10, 20, 30, 60, 120, 180, 300, 450, 600],
];
/** Most requests do not wait at all. */
const QUEUE_BUCKETS = [0.001, ...ANSWER_BUCKETS];
/** The time that the gateway adds: from 0.1 ms. */
const OVERHEAD_BUCKETS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005],
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 1],
];

/** The value of a label for all that is not configured, and for what exceeds a maximum. */
const OTHER = "other";
/** Requests for one of these have their own value of the label `operation`. */
const OPERATIONS = new Set(["chat", "count_tokens", "embeddings", "models"]);
/** Maximum number of combinations of route, model and endpoint. */
const MAX_SERIES = 1000;

/** What was called. */
interface Target {
  route: string;
  model: string;
  endpoint: string;
}

/** The metrics of one target. prom-client takes long to look labels up, so each look-up is done once. */
interface Series {
  target: Target;
  duration: Histogram.Internal<string>;
  firstToken: Histogram.Internal<string>;
  queued: Histogram.Internal<string>;
  cost: DeferredCounter;
  retries: DeferredCounter;
  fallbacks: DeferredCounter;
  promptTokens: DeferredCounter;
  completionTokens: DeferredCounter;
  cachedTokens: DeferredCounter;
  cacheWriteTokens: DeferredCounter;
  reasoningTokens: DeferredCounter;
  /** By status, outcome and operation. */
  requests: Map<string, DeferredCounter>;
}

/** Adds a time; none that is unknown or no number, for which the library throws. */
function observe(histogram: Histogram.Internal<string> | undefined, seconds: number | undefined) {
  if (Number.isFinite(seconds)) histogram?.observe(seconds!);
}

/** The metrics that are counted per request. */
export class RequestMetrics {
  readonly #requests: Counter;
  readonly #duration: Histogram;
  readonly #firstToken: Histogram;
  readonly #queued: Histogram;
  readonly #tokens: Counter;
  readonly #cost: Counter;
  readonly #retries: Counter;
  readonly #fallbacks: Counter;
  readonly #overhead: Map<string, Histogram.Internal<string>>;
  readonly #cache: Map<string, DeferredCounter>;
  readonly #series = new Map<string, Series>();
  readonly #counters: DeferredCounter[] = [];

  /** @param registry where the metrics are registered */
  constructor({ Counter, Histogram }: PromClient, registry: Registry) {
    const registers = [registry];
    const target = ["route", "model", "endpoint"];
    const counter = (name: string, help: string, labelNames = target) =>
      new Counter({ name, help, labelNames, registers });
    const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
      new Histogram({ name, help, labelNames, buckets, registers });
    this.#requests = counter(
      "flexllm_requests_total",
      "Requests that ended. Without a status, the client left first.",
      [...target, "operation", "status", "outcome"],
    );
    this.#duration = histogram(
      "flexllm_request_duration_seconds",
      "Time from a request to the end of its answer. Without an endpoint: from the cache.",
      target,
      ANSWER_BUCKETS,
    );
    this.#firstToken = histogram(
      "flexllm_time_to_first_token_seconds",
      "Time from sending a streamed request to its first content.",
      target,
      ANSWER_BUCKETS,
    );
    this.#queued = histogram(
      "flexllm_queue_seconds",
      "Time spent waiting: in the queue, for rate limits, and between attempts.",
      ["route"],
      QUEUE_BUCKETS,
    );
    const overhead = histogram(
      "flexllm_overhead_seconds",
      "Time that the gateway added, without queue and endpoint.",
      ["lane"],
      OVERHEAD_BUCKETS,
    );
    this.#tokens = counter(
      "flexllm_tokens_total",
      "Tokens that endpoints charge for. Types cached and cache_write are parts of prompt, reasoning is a part of completion.",
      [...target, "type"],
    );
    this.#cost = counter("flexllm_cost_usd_total", "Known costs in USD.");
    this.#retries = counter("flexllm_retries_total", "Further attempts at the same endpoint.");
    this.#fallbacks = counter(
      "flexllm_fallbacks_total",
      "Further attempts at another endpoint, counted for the last one.",
    );
    const cache = counter(
      "flexllm_cache_requests_total",
      "Look-ups in the response cache.",
      ["result"],
    );
    this.#overhead = new Map(
      ["native", "translated", "none"].map((lane) => [lane, overhead.labels({ lane })]),
    );
    this.#cache = new Map(
      ["hit", "miss"].map((result) => [result, this.#deferred(cache, { result })]),
    );
  }

  #deferred(counter: Counter, labels: Record<string, string>): DeferredCounter {
    const deferred = new DeferredCounter(counter.labels(labels));
    this.#counters.push(deferred);
    return deferred;
  }

  /** Passes everything on to the registry; call it before the registry is read. */
  flush(): void {
    for (const counter of this.#counters) counter.flush();
  }

  /** Counts a request. */
  add(facts: GatewayFacts): void {
    const { cache, usage } = facts;
    const series = this.#seriesOf(facts);
    this.#countRequest(series, facts);
    // Others are answered without a model, and would distort the times of answers.
    if (facts.operation !== "chat" && facts.operation !== "embeddings") return;
    if (cache !== "off") this.#cache.get(cache)?.add(1);
    observe(this.#overhead.get(facts.lane ?? "none"), facts.overhead);
    if (cache === "hit") return observe(series.duration, facts.duration);
    // Refused requests have no answer.
    if (facts.attempts === 0) return;
    observe(series.duration, facts.duration);
    observe(series.queued, facts.queued);
    observe(series.firstToken, facts.firstToken);
    series.retries.add(facts.retries);
    series.fallbacks.add(facts.fallbacks);
    series.cost.add(facts.cost ?? 0);
    if (usage === null) return;
    series.promptTokens.add(usage.promptTokens);
    series.completionTokens.add(usage.completionTokens);
    series.cachedTokens.add(usage.cachedTokens ?? 0);
    series.cacheWriteTokens.add(usage.cacheWriteTokens ?? 0);
    series.reasoningTokens.add(usage.reasoningTokens ?? 0);
  }

  #countRequest({ requests, target }: Series, facts: GatewayFacts): void {
    const { status = "", outcome } = facts;
    const operation = OPERATIONS.has(facts.operation) ? facts.operation : OTHER;
    const key = `${status} ${outcome} ${operation}`;
    let counter = requests.get(key);
    if (counter === undefined) {
      const labels = { ...target, operation, status: String(status), outcome };
      counter = this.#deferred(this.#requests, labels);
      requests.set(key, counter);
    }
    counter.add(1);
  }

  #seriesOf(facts: GatewayFacts): Series {
    // A model without a route is whatever the client wrote.
    const route = facts.route ?? (facts.requestedModel === undefined ? "" : OTHER);
    const endpoint = facts.endpoint ?? "";
    const model = facts.endpoint === undefined ? "" : facts.model ?? "";
    const key = `${route}\n${model}\n${endpoint}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size < MAX_SERIES) return this.#addSeries(key, { route, model, endpoint });
    return this.#series.get(OTHER) ??
      this.#addSeries(OTHER, { route: OTHER, model: OTHER, endpoint: OTHER });
  }

  #addSeries(key: string, target: Target): Series {
    const labels = { ...target };
    const tokens = (type: string) => this.#deferred(this.#tokens, { ...labels, type });
    const series: Series = {
      target,
      duration: this.#duration.labels(labels),
      firstToken: this.#firstToken.labels(labels),
      queued: this.#queued.labels({ route: target.route }),
      cost: this.#deferred(this.#cost, labels),
      retries: this.#deferred(this.#retries, labels),
      fallbacks: this.#deferred(this.#fallbacks, labels),
      promptTokens: tokens("prompt"),
      completionTokens: tokens("completion"),
      cachedTokens: tokens("cached"),
      cacheWriteTokens: tokens("cache_write"),
      reasoningTokens: tokens("reasoning"),
      requests: new Map(),
    };
    this.#series.set(key, series);
    return series;
  }
}
