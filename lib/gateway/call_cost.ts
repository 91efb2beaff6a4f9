/**
 * Calculates what a call can cost at most, and how long its answer can be for an amount.
 *
 * @module
 */
import { answerCountOf, maxTokensOf } from "../chat/max_tokens.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import type { GatewayCall } from "./gateway_call.ts";
import type { RouteTarget } from "./http/gateway_host.ts";
import { isAnthropic } from "./lanes/translated/target.ts";
import { outputLimitOf } from "./output_limit.ts";

/** The assumed maximum of models that {@link outputLimitOf} does not know. */
const UNKNOWN_LIMIT = 131_072;
/** The highest limit to set for them: servers reject limits that their model cannot reach. */
const SAFE_LIMIT = 8192;
/** Answers are not limited to fewer tokens than this while other calls may release money. */
const USUAL_TOKENS = 4096;
/** Answers are never limited to fewer tokens than this: they would cost money and be worth nothing. */
const LEAST_TOKENS = 1024;

/** Allowance for the rounding of dollars: far less than a billionth of one. */
const ROUNDING = 1 + 1e-12;

/** The maximum tokens of an answer at an endpoint. */
interface OutputLimit {
  /** For a request that sets none. */
  assumed: number;
  /** The highest limit that a request can set. */
  accepted: number;
  /** Whether the configuration has the prompt written to a prompt cache. */
  writesCache: boolean;
}

const limits = new WeakMap<RouteTarget, OutputLimit>();

/** Found once per target: this runs for every request. */
function limitAt(target: RouteTarget): OutputLimit {
  let limit = limits.get(target);
  if (limit === undefined) {
    const { extraBody } = target.endpoint.connection;
    const known = maxTokensOf({ extraBody }) ?? outputLimitOf(target.model);
    limit = {
      assumed: known ?? UNKNOWN_LIMIT,
      accepted: known ?? SAFE_LIMIT,
      writesCache: JSON.stringify(extraBody ?? {}).includes("cache_control"),
    };
    limits.set(target, limit);
  }
  return limit;
}

/** The service tier that a call asks an endpoint for: translated calls have none. */
export function tierAt(
  { protocol, body }: Pick<GatewayCall, "protocol" | "body">,
  { connection }: EndpointClient,
): string | undefined {
  // Anthropic's fast mode is reported, and priced, as a tier.
  const tier = body.speed === "fast" ? body.speed : body.serviceTier ?? body.service_tier;
  return typeof tier === "string" && connection.speaks(protocol) ? tier : undefined;
}

/** The maximum costs of a call whose answer is limited differently, in USD. */
export interface CostRange {
  /** Of the longest possible answer. */
  cost: number;
  /** Of an answer as long as any so far, if the request leaves the limit open. */
  usualCost?: number;
  /** Of the shortest answer that is worth its money, if the request leaves the limit open. */
  leastCost?: number;
}

/** The maximum cost of one call at the endpoints of its route, whose prices must have been loaded. */
export class CallCost {
  readonly #call: Pick<GatewayCall, "protocol" | "body">;
  readonly #targets: readonly RouteTarget[];
  readonly #promptTokens: number;
  readonly #choices: number;
  /** Whether the prompt may be written to a prompt cache, which costs more than reading it. */
  readonly #writesCache: boolean;
  readonly #writesHour: boolean;

  constructor(
    call: Pick<GatewayCall, "protocol" | "body" | "text">,
    targets: readonly RouteTarget[],
    promptTokens: number,
  ) {
    const { body, text } = call;
    this.#call = call;
    this.#targets = targets;
    this.#promptTokens = promptTokens;
    this.#choices = answerCountOf(body);
    // A mention in the text of a message only makes the estimate higher.
    this.#writesCache = text.includes("cache_control");
    this.#writesHour = this.#writesCache && text.includes('"1h"');
  }

  /**
   * The maximum cost; `null` if the price at one of the endpoints is unknown.
   *
   * @param maxTokens the request's limit
   * @param longest the tokens of the longest answer so far
   */
  range(maxTokens: number | undefined, longest: number): CostRange | null {
    const cost = this.#dearest(maxTokens);
    if (cost === null) return null;
    if (maxTokens !== undefined) return { cost };
    const shorter = (tokens: number) => Math.min(cost, this.#dearest(tokens)!);
    return {
      cost,
      usualCost: shorter(Math.max(USUAL_TOKENS, longest)),
      leastCost: shorter(LEAST_TOKENS),
    };
  }

  /** The limit with which each answer costs at most `amount` USD at any endpoint, and that all of them accept. */
  tokensFor(amount: number): number {
    let tokens = Infinity;
    for (const target of this.#targets) {
      const prompt = this.#at(target, 0)!;
      const perToken = (this.#at(target, 1e6)! - prompt) / 1e6;
      const affordable = perToken > 0 ? (amount - prompt) / perToken / this.#choices : Infinity;
      tokens = Math.min(tokens, limitAt(target).accepted, Math.floor(affordable * ROUNDING));
    }
    return Math.max(1, tokens);
  }

  /** The cost at the dearest endpoint, of answers within `maxTokens` and what the models write at most. */
  #dearest(maxTokens: number | undefined): number | null {
    let dearest = 0;
    for (const target of this.#targets) {
      const tokens = maxTokens ?? limitAt(target).assumed;
      const cost = this.#at(target, tokens * this.#choices);
      if (cost === null) return null;
      dearest = Math.max(dearest, cost);
    }
    return dearest;
  }

  /** Whether the prompt may be written to a prompt cache; the translation to Anthropic's API asks for that. */
  #mayWriteCache(target: RouteTarget): boolean {
    if (this.#writesCache || limitAt(target).writesCache) return true;
    const { endpoint } = target;
    return isAnthropic(endpoint) && !endpoint.connection.speaks(this.#call.protocol);
  }

  #at(target: RouteTarget, completionTokens: number): number | null {
    const { endpoint, model } = target;
    const promptTokens = this.#promptTokens;
    const usage = {
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
      cacheWriteTokens: this.#mayWriteCache(target) ? promptTokens : undefined,
      cacheWriteHourTokens: this.#writesHour ? promptTokens : undefined,
    };
    const price = endpoint.pricer!;
    const tier = tierAt(this.#call, endpoint);
    const cost = price(model, usage, tier);
    if (cost === null) return null;
    // Some models charge more for the tokens of their thinking, others less.
    const thinking = { ...usage, reasoningTokens: completionTokens };
    const most = Math.max(cost, price(model, thinking, tier) ?? 0);
    if (tier === undefined) return most;
    // A cheaper tier is a wish: the server may answer in the standard one.
    return Math.max(most, price(model, usage) ?? 0, price(model, thinking) ?? 0);
  }
}
