/**
 * Estimates the tokens and the cost of requests before they are sent, and calculates their actual cost.
 *
 * @module
 */
import { maxTokensOf } from "../chat/max_tokens.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Usage } from "../usage.ts";
import {
  AbortedError,
  ConfigurationError,
  ConnectionError,
  FlexLLMError,
  MalformedResponseError,
  type PartialCompletion,
  TimeoutError,
} from "../errors.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { Pricer } from "../pricing/price.ts";
import { promptSize, textSize, TokenEstimate } from "../pricing/token_estimate.ts";
import type { Completion } from "../protocols/protocol.ts";
import type { Grant } from "../scheduling/grant.ts";
import type { TokenDemand } from "../scheduling/token_limiter.ts";
import type { EndpointClient } from "./endpoint_client.ts";

/** Whether the server may have worked on a request that failed with `error`, and may bill it. */
export function mayHaveRun(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.sent;
  return error instanceof TimeoutError || error instanceof AbortedError ||
    error instanceof MalformedResponseError;
}

/** The part of an answer that arrived before it failed. */
export type Received = PartialCompletion & Partial<Pick<ChatResult, "toolCalls">>;

/** The fields of a call that determine its estimates. */
export interface MeteredCall {
  /** See {@link Metering.promptSize}. */
  readonly promptSize: number;
  readonly options: ChatOptions;
}

/** The fields of a completion that determine its cost. */
export type PricedCompletion = Pick<Completion, "usage" | "cost" | "serviceTier" | "billed">;

/** The service tier that a request asks for (OpenAI, Anthropic, Gemini). */
function requestedTier({ extraBody }: ChatOptions): string | undefined {
  const tier = extraBody?.service_tier ?? extraBody?.serviceTier;
  return typeof tier === "string" ? tier : undefined;
}

/** The cost of an answer, summed over separately billed parts. */
function priceOf(
  pricer: Pricer,
  model: string,
  usage: Usage,
  { serviceTier, billed }: Pick<Completion, "serviceTier" | "billed">,
): number | null {
  if (billed === undefined) return pricer(model, usage, serviceTier);
  let sum = 0;
  for (const part of billed) {
    const cost = pricer(part.model ?? model, part.usage, serviceTier);
    if (cost === null) return null;
    sum += cost;
  }
  return sum;
}

/** The cost of a completion in USD: as reported by the server, else by its price; `null` if unknown. */
export function costBy(
  pricer: Pricer,
  model: string,
  completion: PricedCompletion,
): number | null {
  const { cost, usage } = completion;
  if (cost !== undefined && cost >= 0 && cost < Infinity) return cost;
  return usage === null ? null : priceOf(pricer, model, usage, completion);
}

/** Estimates and prices the calls of one client. */
export class Metering {
  readonly #estimate = new TokenEstimate();
  readonly #estimates: boolean;
  readonly #allowUnpriced: boolean;
  /** Whether money has to be reserved before a request is sent. */
  readonly hasBudget: boolean;

  /** Whether requests need an estimate: something limits tokens or money. */
  get estimates(): boolean {
    return this.#estimates;
  }

  constructor(endpoints: readonly EndpointClient[], tracker: CostTracker | undefined) {
    this.hasBudget = tracker?.limit !== undefined;
    this.#allowUnpriced = tracker?.allowUnpriced ?? true;
    this.#estimates = this.hasBudget || endpoints.some(({ limits }) => limits.countsTokens);
  }

  /** The size of a prompt, from which its tokens are estimated; 0 if nothing limits tokens or money. */
  promptSize(messages: readonly Message[], options: ChatOptions): number {
    return this.#estimates ? promptSize(messages, options) : 0;
  }

  /** The estimated tokens of a call; `undefined` if nothing limits tokens or money. */
  demand({ promptSize, options }: MeteredCall): TokenDemand | undefined {
    if (!this.#estimates) return undefined;
    const prompt = promptSize === 0 ? 0 : this.#estimate.prompt(promptSize);
    return { prompt, maxCompletion: maxTokensOf(options) };
  }

  /**
   * The maximum cost of a call at an endpoint, in USD; 0 without a budget. The endpoint's prices must have
   * been loaded.
   *
   * @throws {ConfigurationError} if the model's price is unknown
   */
  maxCost(call: MeteredCall, endpoint: EndpointClient, model: string): number {
    if (!this.hasBudget) return 0;
    const cost = this.#maxCost(call, endpoint.pricer!, model);
    if (cost !== null) return cost;
    if (this.#allowUnpriced) return 0;
    throw new ConfigurationError(
      `${model} at ${endpoint.name} has no known price, so the budget cannot be enforced`,
      {
        hint: "Add its price to the configuration, or allow models without one (--allow-unpriced).",
      },
    );
  }

  /**
   * The maximum cost of a row of a provider batch, in USD: 0 without a budget, `null` if the price is unknown
   * and models without a price are allowed.
   *
   * @throws {ConfigurationError} if the batch price is unknown and has to be known
   */
  maxRowCost(
    call: MeteredCall,
    endpoint: Pick<EndpointClient, "name">,
    model: string,
    pricer: Pricer,
  ): number | null {
    if (!this.hasBudget) return 0;
    const cost = this.#maxCost(call, pricer, model);
    if (cost !== null || this.#allowUnpriced) return cost;
    throw new ConfigurationError(
      `the batch price of ${model} at ${endpoint.name} is unknown, so the budget cannot be enforced`,
      {
        hint:
          'Add it to the configuration ("batch" in the model\'s price), or allow models without ' +
          "one (--allow-unpriced).",
      },
    );
  }

  #maxCost(call: MeteredCall, pricer: Pricer, model: string): number | null {
    const promptTokens = this.#estimate.prompt(call.promptSize);
    const maxTokens = maxTokensOf(call.options);
    const completionTokens = this.#estimate.completion({ maxTokens });
    const totalTokens = promptTokens + completionTokens;
    const usage = { promptTokens, completionTokens, totalTokens };
    return pricer(model, usage, requestedTier(call.options));
  }

  /** The estimated input tokens of a prompt of the given {@link promptSize}. */
  promptTokens(size: number): number {
    return this.#estimate.prompt(size);
  }

  /** The maximum output tokens of a call, or an estimate if it sets no limit. */
  completionTokens(maxTokens: number | undefined): number {
    return this.#estimate.completion({ maxTokens });
  }

  /** Learns from the token counts of an answer. */
  learn(promptSize: number, usage: Usage): void {
    this.#estimate.learn(promptSize, usage);
  }

  /** The cost of a completion in USD: as reported by the server, else by its price; `null` if unknown. */
  cost(endpoint: EndpointClient, model: string, completion: PricedCompletion): number | null {
    return costBy(endpoint.pricer!, model, completion);
  }

  /** Commits the tokens and the cost of an answer, and learns from its token counts. */
  commit(call: MeteredCall, { reservation }: Grant<EndpointClient>, result: ChatResult): void {
    if (this.#estimates && result.usage !== null) {
      this.#estimate.learn(call.promptSize, result.usage);
    }
    reservation.commit(result);
  }

  /**
   * Commits the possible cost of a failed attempt: by the tokens that the server counted, or else by an
   * estimate of the prompt and the part of the answer that arrived. Returns that cost in USD.
   *
   * @param received the part of the answer that arrived
   */
  commitLost(
    call: MeteredCall,
    { target, reservation }: Grant<EndpointClient>,
    model: string,
    error: unknown,
    received: Received | undefined = error instanceof FlexLLMError ? error.partial : undefined,
  ): number {
    if (!mayHaveRun(error) && received === undefined) return 0;
    const usage = this.lostUsage(call, received);
    const known = usage && target.pricer!(model, usage, requestedTier(call.options));
    // Without any part of the answer, the server may bill up to the whole reservation.
    const cost = known ?? reservation.cost;
    reservation.commit({ model, endpoint: target.name, usage: null, cost, isLost: true });
    return cost;
  }

  /** The tokens of an incomplete answer: as the server counted them, or by the text that arrived. */
  lostUsage(
    { promptSize }: Pick<MeteredCall, "promptSize">,
    partial: Received | undefined,
  ): Usage | undefined {
    if (partial === undefined) return undefined;
    const { usage, content, thinking, toolCalls = [] } = partial;
    let size = textSize(content) + textSize(thinking ?? "");
    for (const { function: { name, arguments: text } } of toolCalls) {
      size += textSize(name) + textSize(text);
    }
    if (!usage && (promptSize === 0 || size === 0)) return undefined;
    const promptTokens = usage?.promptTokens || this.#estimate.prompt(promptSize);
    const completionTokens = Math.max(usage?.completionTokens ?? 0, Math.ceil(size));
    return {
      ...usage,
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
    };
  }
}
