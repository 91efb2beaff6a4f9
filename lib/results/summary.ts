/**
 * Summarizes results: counts, tokens, cost and latency.
 *
 * @module
 */
import { LogHistogram } from "./log_histogram.ts";
import type { LineFacts } from "./line_facts.ts";

/** Token counts. */
export interface TokenCounts {
  prompt: number;
  completion: number;
  /** Prompt tokens read from the provider's cache. */
  cached: number;
  reasoning: number;
}

/** The answers of one model, by the name the server reported. */
export interface ModelAnswers {
  model: string;
  answers: number;
  promptTokens: number;
  completionTokens: number;
  /** USD, of the answers whose cost is known. */
  cost: number;
  /** Answers without a known cost. */
  unpriced: number;
}

/** The counts of one requested model. */
export interface RequestedModel {
  model: string;
  succeeded: number;
  failed: number;
}

/** Maximum names that are counted separately: servers may report any number of them. */
const MAX_NAMES = 1000;
/** The name for all further ones. */
export const OTHERS = "(others)";

/** The entry of `name`, or of all other names if there are too many. */
function entryOf<T>(map: Map<string, T>, name: string, create: (name: string) => T): T {
  const key = map.has(name) || map.size < MAX_NAMES ? name : OTHERS;
  let entry = map.get(key);
  if (entry === undefined) map.set(key, entry = create(key));
  return entry;
}

/** A summary of results. */
export class ResultSummary {
  succeeded = 0;
  failed = 0;
  /** Answers from the response cache. */
  cached = 0;
  readonly tokens: TokenCounts = { prompt: 0, completion: 0, cached: 0, reasoning: 0 };
  /** USD, of the results whose cost is known. */
  cost = 0;
  /** USD spent on earlier answers to these records. */
  spentBefore = 0;
  /** Answers without a known cost. */
  unpriced = 0;
  /** Durations of answers that did not come from the cache, in seconds. */
  readonly latency = new LogHistogram();
  readonly #models = new Map<string, ModelAnswers>();
  readonly #requested = new Map<string, RequestedModel>();
  readonly #finishReasons = new Map<string, { count: number }>();
  readonly #errors = new Map<string, { count: number }>();

  /** Adds a result. */
  add(facts: LineFacts): void {
    if (facts.requestedModel !== undefined) {
      const requested = entryOf(
        this.#requested,
        facts.requestedModel,
        (model) => ({ model, succeeded: 0, failed: 0 }),
      );
      if (facts.succeeded) requested.succeeded++;
      else requested.failed++;
    }
    if (facts.spentBefore > 0) this.spentBefore += facts.spentBefore;
    if (facts.cost > 0) this.cost += facts.cost;
    if (facts.promptTokens > 0) this.tokens.prompt += facts.promptTokens;
    if (facts.completionTokens > 0) this.tokens.completion += facts.completionTokens;
    if (facts.cachedTokens > 0) this.tokens.cached += facts.cachedTokens;
    if (facts.reasoningTokens > 0) this.tokens.reasoning += facts.reasoningTokens;
    if (!facts.succeeded) {
      this.failed++;
      entryOf(this.#errors, facts.errorCode ?? "unknown", () => ({ count: 0 })).count++;
      return;
    }
    this.succeeded++;
    if (facts.finishReason !== undefined) {
      entryOf(this.#finishReasons, facts.finishReason, () => ({ count: 0 })).count++;
    }
    const isUnpriced = Number.isNaN(facts.cost);
    if (isUnpriced) this.unpriced++;
    if (facts.model !== undefined) this.#answered(facts.model, facts, isUnpriced);
    if (facts.cached) this.cached++;
    else if (facts.latency > 0) this.latency.add(facts.latency);
  }

  #answered(name: string, facts: LineFacts, isUnpriced: boolean): void {
    const model = entryOf(this.#models, name, (model) => ({
      ...{ model, answers: 0, promptTokens: 0, completionTokens: 0, cost: 0, unpriced: 0 },
    }));
    model.answers++;
    if (facts.promptTokens > 0) model.promptTokens += facts.promptTokens;
    if (facts.completionTokens > 0) model.completionTokens += facts.completionTokens;
    if (isUnpriced) model.unpriced++;
    else model.cost += facts.cost;
  }

  /** The number of results. */
  get total(): number {
    return this.succeeded + this.failed;
  }

  /** The models that answered, those with the most answers first. */
  get models(): ModelAnswers[] {
    return [...this.#models.values()].sort((a, b) => b.answers - a.answers);
  }

  /** The requested models in the order of the file; empty if the results name none. */
  get requestedModels(): RequestedModel[] {
    return [...this.#requested.values()];
  }

  /** The number of answers by finish reason, the most frequent first. */
  get finishReasons(): Record<string, number> {
    return sorted(this.#finishReasons);
  }

  /** The number of failures by error code, the most frequent first. */
  get errors(): Record<string, number> {
    return sorted(this.#errors);
  }
}

function sorted(counts: ReadonlyMap<string, { count: number }>): Record<string, number> {
  const entries = [...counts].map(([name, { count }]) => [name, count] as const);
  return Object.fromEntries(entries.sort(([, a], [, b]) => b - a));
}
