/**
 * Counts requests, times, tokens and costs for Prometheus.
 *
 * The values of every label are bounded, so clients cannot create an unlimited number of time series.
 *
 * @module
 */
import type { Counter, Histogram } from "prom-client";
import type { CallFacts } from "../chat/call_facts.ts";
import { REQUEST_METRICS } from "./definitions.ts";
import { DeferredCounter } from "./deferred_counter.ts";
import type { MetricFactory } from "./prom_client.ts";

/** The label value for everything that is not configured or exceeds a maximum. */
const OTHER = "other";
/** Requests for one of these have their own value of the label `operation`. */
const OPERATIONS = new Set(["chat", "count_tokens", "embeddings", "models"]);
/** Maximum number of combinations of route, model and endpoint. */
const MAX_SERIES = 1000;

/** What is counted of a request. Those of a batch have no route, status, lane or overhead. */
export interface RequestFacts
  extends
    Pick<CallFacts, "attempts" | "cost" | "duration" | "endpoint" | "firstToken" | "outcome">,
    Pick<CallFacts, "queued" | "usage"> {
  /** `chat`, `count_tokens`, `embeddings`, `models`, or another path. */
  operation: string;
  /** The model that the client named. */
  requestedModel?: string;
  /** The route, once it is known. */
  route?: string;
  /** The model at the endpoint of the last attempt. */
  model?: string;
  /** The lane of the last attempt. */
  lane?: "native" | "translated";
  /** The HTTP status that was sent. */
  status?: number;
  /** Attempts after the first at the same endpoint; in a batch, at any. */
  retries: number;
  /** Attempts after the first at another endpoint. */
  fallbacks?: number;
  /** Seconds that the gateway added. */
  overhead?: number;
  /** What the response cache did. */
  cache: "hit" | "miss" | "off";
}

/** What was called. */
interface Target {
  /** Absent in a batch. */
  route?: string;
  model: string;
  endpoint: string;
}

/** The metrics of one target. prom-client takes long to look labels up, so each look-up is done once. */
interface Series {
  labels: Record<string, string>;
  duration: Histogram.Internal<string>;
  firstToken: Histogram.Internal<string> | undefined;
  queued: Histogram.Internal<string>;
  cost: DeferredCounter;
  retries: DeferredCounter;
  fallbacks: DeferredCounter | undefined;
  promptTokens: DeferredCounter;
  completionTokens: DeferredCounter;
  cachedTokens: DeferredCounter;
  cacheWriteTokens: DeferredCounter;
  reasoningTokens: DeferredCounter;
  /** By status, outcome and operation. */
  requests: Map<string, DeferredCounter>;
}

/** Adds a time unless it is unknown or not a number, for which the library throws. */
function observe(histogram: Histogram.Internal<string> | undefined, seconds: number | undefined) {
  if (Number.isFinite(seconds)) histogram?.observe(seconds!);
}

/** The metrics that are counted per request. */
export class RequestMetrics {
  readonly #isGateway: boolean;
  readonly #requests: Counter;
  readonly #duration: Histogram;
  readonly #firstToken: Histogram | undefined;
  readonly #queued: Histogram;
  readonly #tokens: Counter;
  readonly #cost: Counter;
  readonly #retries: Counter;
  readonly #fallbacks: Counter | undefined;
  readonly #overhead = new Map<string, Histogram.Internal<string>>();
  readonly #cache: Map<string, DeferredCounter>;
  readonly #series = new Map<string, Series>();
  readonly #counters: DeferredCounter[] = [];

  /**
   * @param isGateway whether the requests are those of clients of a gateway; otherwise, the labels and metrics that
   *   only a gateway has are left out
   */
  constructor(metrics: MetricFactory, isGateway: boolean) {
    this.#isGateway = isGateway;
    this.#requests = metrics.counter(REQUEST_METRICS.requests);
    this.#duration = metrics.histogram(REQUEST_METRICS.duration);
    this.#queued = metrics.histogram(REQUEST_METRICS.queued);
    this.#tokens = metrics.counter(REQUEST_METRICS.tokens);
    this.#cost = metrics.counter(REQUEST_METRICS.cost);
    this.#retries = metrics.counter(REQUEST_METRICS.retries);
    const cache = metrics.counter(REQUEST_METRICS.cache);
    this.#cache = new Map(
      ["hit", "miss"].map((result) => [result, this.#deferred(cache, { result })]),
    );
    if (!isGateway) return;
    this.#firstToken = metrics.histogram(REQUEST_METRICS.firstToken);
    this.#fallbacks = metrics.counter(REQUEST_METRICS.fallbacks);
    const overhead = metrics.histogram(REQUEST_METRICS.overhead);
    for (const lane of ["native", "translated", "none"]) {
      this.#overhead.set(lane, overhead.labels({ lane }));
    }
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
  add(facts: RequestFacts): void {
    const { cache, usage } = facts;
    const series = this.#seriesOf(facts);
    this.#countRequest(series, facts);
    // Other requests are answered without a model and would distort the latencies.
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
    series.fallbacks?.add(facts.fallbacks ?? 0);
    series.cost.add(facts.cost ?? 0);
    if (usage === null) return;
    series.promptTokens.add(usage.promptTokens);
    series.completionTokens.add(usage.completionTokens);
    series.cachedTokens.add(usage.cachedTokens ?? 0);
    series.cacheWriteTokens.add(usage.cacheWriteTokens ?? 0);
    series.reasoningTokens.add(usage.reasoningTokens ?? 0);
  }

  #countRequest({ requests, labels }: Series, facts: RequestFacts): void {
    const { status = "", outcome } = facts;
    const operation = OPERATIONS.has(facts.operation) ? facts.operation : OTHER;
    const key = `${status} ${outcome} ${operation}`;
    let counter = requests.get(key);
    if (counter === undefined) {
      const answered: Record<string, string> = this.#isGateway ? { status: String(status) } : {};
      counter = this.#deferred(this.#requests, { ...labels, operation, ...answered, outcome });
      requests.set(key, counter);
    }
    counter.add(1);
  }

  #seriesOf(facts: RequestFacts): Series {
    const endpoint = facts.endpoint ?? "";
    const model = facts.endpoint === undefined ? "" : facts.model ?? "";
    const route = this.#routeOf(facts);
    const key = `${route}\n${model}\n${endpoint}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size < MAX_SERIES) return this.#addSeries(key, { route, model, endpoint });
    const other = { route: route && OTHER, model: OTHER, endpoint: OTHER };
    return this.#series.get(OTHER) ?? this.#addSeries(OTHER, other);
  }

  #routeOf({ route, requestedModel }: RequestFacts): string | undefined {
    if (!this.#isGateway) return undefined;
    // A model without a route can be any text that the client sent.
    return route ?? (requestedModel === undefined ? "" : OTHER);
  }

  #addSeries(key: string, { route, model, endpoint }: Target): Series {
    const routed: Record<string, string> = route === undefined ? {} : { route };
    const labels = { ...routed, model, endpoint };
    const tokens = (type: string) => this.#deferred(this.#tokens, { ...labels, type });
    const series: Series = {
      labels,
      duration: this.#duration.labels(labels),
      firstToken: this.#firstToken?.labels(labels),
      queued: this.#queued.labels(routed),
      cost: this.#deferred(this.#cost, labels),
      retries: this.#deferred(this.#retries, labels),
      fallbacks: this.#fallbacks && this.#deferred(this.#fallbacks, labels),
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
