/**
 * Collects the numbers of one series of a report: a result file, or one of the models in it.
 *
 * @module
 */
import { FailureGroups } from "../results/failure_groups.ts";
import type { LineFacts } from "../results/line_facts.ts";
import { LogHistogram } from "../results/log_histogram.ts";
import type { ResultLine } from "../results/result_reader.ts";
import { OTHERS, ResultSummary } from "../results/summary.ts";
import { cutText } from "./cut_text.ts";
import { LogGrid } from "./log_grid.ts";
import { TimeBins } from "./time_bins.ts";

/** The results of one endpoint. */
export interface EndpointStats {
  endpoint: string;
  succeeded: number;
  failed: number;
  promptTokens: number;
  completionTokens: number;
  /** USD, of the results whose cost is known. */
  cost: number;
  /** Answers without a known cost. */
  unpriced: number;
  /** Seconds. */
  latency: LogHistogram;
}

/** Maximum endpoints counted separately. */
const MAX_ENDPOINTS = 50;
/** Maximum places in a schema counted separately. */
const MAX_PATHS = 200;
/** Numbers of attempts counted separately: 0 to 9, and 10 or more. */
const MAX_ATTEMPTS = 10;

/** Where an answer misses its schema, as in "rating: expected integer". */
const MISS = /does not match the schema: ([^:]{1,100}):/;

/** The numbers of a series. */
export class SeriesStats {
  readonly name: string;
  /** The position of its run. */
  readonly run: number;
  readonly summary = new ResultSummary();
  /** Durations of answers from the cache, in seconds. */
  readonly cachedLatency = new LogHistogram();
  /** Seconds until the first token. */
  readonly firstToken = new LogHistogram();
  /** Seconds between two tokens of a stream. */
  readonly tokenTime = new LogHistogram();
  /** Seconds in the queue. */
  readonly queued = new LogHistogram();
  readonly promptTokens = new LogHistogram();
  readonly completionTokens = new LogHistogram();
  /** Output tokens and latency of each answer. */
  readonly grid = new LogGrid();
  /** The number of results by the number of their attempts. */
  readonly attempts: number[] = [];
  /** Attempts after the first ones. */
  retries = 0;
  readonly failures = new FailureGroups();
  /** Answers that missed their schema, by the first place in which they did. */
  readonly schemaMisses = new Map<string, number>();
  /**
   * Over time; results without a time are left out. Channels: `started` and `ended` of requests that were answered,
   * `succeeded`, `failed`, `cached`, `prompt`, `completion`, `cost`, and `failed:CODE`.
   */
  readonly time = new TimeBins();
  readonly #endpoints = new Map<string, EndpointStats>();
  readonly #channels;

  /**
   * @param name the file or model
   * @param run the position of its run
   */
  constructor(name: string, run: number) {
    this.name = name;
    this.run = run;
    const channel = (name: string) => this.time.channel(name);
    this.#channels = {
      started: channel("started"),
      ended: channel("ended"),
      succeeded: channel("succeeded"),
      failed: channel("failed"),
      cached: channel("cached"),
      prompt: channel("prompt"),
      completion: channel("completion"),
      cost: channel("cost"),
    };
  }

  /** The endpoints, those with the most results first. */
  get endpoints(): EndpointStats[] {
    const total = ({ succeeded, failed }: EndpointStats) => succeeded + failed;
    return [...this.#endpoints.values()].sort((a, b) => total(b) - total(a));
  }

  /** Adds a result. */
  add(line: ResultLine): void {
    const { facts } = line;
    this.summary.add(facts);
    if (facts.attempts >= 0) {
      const attempts = Math.min(MAX_ATTEMPTS, Math.floor(facts.attempts));
      this.attempts[attempts] = (this.attempts[attempts] ?? 0) + 1;
      if (facts.attempts > 1) this.retries += facts.attempts - 1;
    }
    if (facts.queued >= 0.001) this.queued.add(facts.queued);
    if (facts.succeeded) this.#addAnswer(facts);
    else this.#addFailure(line);
    if (facts.endpoint !== undefined) this.#addEndpoint(facts, facts.endpoint);
    if (!Number.isNaN(facts.at)) this.#addTime(facts);
  }

  #addAnswer(facts: LineFacts): void {
    const { latency, firstToken, completionTokens } = facts;
    if (facts.promptTokens > 0) this.promptTokens.add(facts.promptTokens);
    if (completionTokens > 0) this.completionTokens.add(completionTokens);
    if (facts.cached) {
      if (latency >= 0) this.cachedLatency.add(latency);
      return;
    }
    if (firstToken >= 0) {
      this.firstToken.add(firstToken);
      if (completionTokens > 1 && latency > firstToken) {
        this.tokenTime.add((latency - firstToken) / (completionTokens - 1));
      }
    }
    if (latency > 0 && completionTokens > 0) this.grid.add(completionTokens, latency);
  }

  #addFailure(line: ResultLine): void {
    const { index, errorCode = "unknown", requestedModel } = line.facts;
    const message = line.errorMessage();
    this.failures.add(index, errorCode, message, requestedModel);
    if (errorCode !== "schema_mismatch") return;
    // All items of a list count as one place.
    const path = MISS.exec(message)?.[1].replace(/\/\d+(?=\/|$)/g, "/*") ?? "not JSON";
    const key = this.schemaMisses.has(path) || this.schemaMisses.size < MAX_PATHS ? path : OTHERS;
    this.schemaMisses.set(key, (this.schemaMisses.get(key) ?? 0) + 1);
  }

  #addEndpoint(facts: LineFacts, name: string): void {
    const isRoom = this.#endpoints.size < MAX_ENDPOINTS;
    const key = this.#endpoints.has(name) || isRoom ? name : OTHERS;
    let stats = this.#endpoints.get(key);
    if (stats === undefined) {
      stats = {
        endpoint: key,
        succeeded: 0,
        failed: 0,
        promptTokens: 0,
        completionTokens: 0,
        cost: 0,
        unpriced: 0,
        latency: new LogHistogram(),
      };
      this.#endpoints.set(key, stats);
    }
    if (facts.succeeded) stats.succeeded++;
    else stats.failed++;
    if (facts.promptTokens > 0) stats.promptTokens += facts.promptTokens;
    if (facts.completionTokens > 0) stats.completionTokens += facts.completionTokens;
    if (facts.cost > 0) stats.cost += facts.cost;
    if (facts.succeeded && Number.isNaN(facts.cost)) stats.unpriced++;
    if (facts.succeeded && facts.latency > 0 && !facts.cached) stats.latency.add(facts.latency);
  }

  #addTime(facts: LineFacts): void {
    const { time } = this;
    const { started, ended, succeeded, failed, cached, prompt, completion, cost } = this.#channels;
    const sent = facts.at + (facts.queued > 0 ? facts.queued * 1000 : 0);
    const end = sent + (facts.latency > 0 ? facts.latency * 1000 : 0);
    if (end > sent && !facts.cached) {
      time.add(sent, started);
      time.add(end, ended);
    }
    time.add(end, facts.succeeded ? succeeded : failed);
    if (facts.cached) time.add(end, cached);
    if (!facts.succeeded) {
      time.add(end, time.channel(`failed:${cutText(facts.errorCode ?? "unknown", 100)}`));
    }
    if (facts.promptTokens > 0) time.add(end, prompt, facts.promptTokens);
    if (facts.completionTokens > 0) time.add(end, completion, facts.completionTokens);
    if (facts.cost > 0) time.add(end, cost, facts.cost);
  }
}
