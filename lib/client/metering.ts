/**
 * What the calls of a client take: tokens and money, estimated and reserved before a request is sent,
 * and replaced by what was really taken afterwards.
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
import type { TokenDemand } from "../scheduling/token_limiter.ts";
import type { Grant } from "../scheduling/request_queue.ts";
import type { EndpointClient } from "./endpoint_client.ts";

/** Whether the server may have worked on a request that failed with `error`, and may bill it. */
function mayHaveRun(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.sent;
  return error instanceof TimeoutError || error instanceof AbortedError ||
    error instanceof MalformedResponseError;
}

/** What had arrived of an answer that failed. */
export type Received = PartialCompletion & Partial<Pick<ChatResult, "toolCalls">>;

/** What of a call is spent. */
export interface MeteredCall {
  /** The size of its prompt; 0 if it is not needed. */
  readonly promptSize: number;
  readonly options: ChatOptions;
}

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
  { serviceTier, billed = [{ usage }] }: Pick<Completion, "serviceTier" | "billed">,
): number | null {
  let sum = 0;
  for (const part of billed) {
    const cost = pricer(part.model ?? model, part.usage, serviceTier);
    if (cost === null) return null;
    sum += cost;
  }
  return sum;
}

/** The tokens and the money of one client. */
export class Metering {
  readonly #tracker: CostTracker | undefined;
  readonly #estimate = new TokenEstimate();
  readonly #estimates: boolean;
  /** Whether money has to be reserved before a request. */
  readonly hasBudget: boolean;

  constructor(endpoints: readonly EndpointClient[], tracker: CostTracker | undefined) {
    this.#tracker = tracker;
    this.hasBudget = tracker?.limit !== undefined;
    this.#estimates = this.hasBudget || endpoints.some(({ gate }) => gate.countsTokens);
  }

  /** The size of a prompt, for the estimates of its tokens; 0 when nobody needs to know. */
  promptSize(messages: readonly Message[], options: ChatOptions): number {
    return this.#estimates ? promptSize(messages, options) : 0;
  }

  /** The tokens that a call needs, by the current estimates. */
  demand({ promptSize, options }: MeteredCall): TokenDemand {
    const prompt = promptSize === 0 ? 0 : this.#estimate.prompt(promptSize);
    return { prompt, maxCompletion: maxTokensOf(options) };
  }

  /**
   * The maximum cost of a call at an endpoint, in USD; 0 without a budget.
   *
   * @throws {ConfigurationError} when the model's price is not known
   */
  maxCost(call: MeteredCall, endpoint: EndpointClient, model: string): number {
    if (!this.hasBudget) return 0;
    const promptTokens = this.#estimate.prompt(call.promptSize);
    const maxTokens = maxTokensOf(call.options);
    const completionTokens = this.#estimate.completion({ maxTokens });
    const totalTokens = promptTokens + completionTokens;
    const usage = { promptTokens, completionTokens, totalTokens };
    const cost = endpoint.pricer!(model, usage, requestedTier(call.options));
    if (cost !== null) return cost;
    if (this.#tracker!.allowUnpriced) return 0;
    throw new ConfigurationError(
      `${model} at ${endpoint.name} has no known price, so the budget cannot be enforced`,
      { hint: "Give its price, or allow models without one (--allow-unpriced)." },
    );
  }

  /** Records an answer: its tokens at the endpoint, and its cost. */
  record(call: MeteredCall, grant: Grant<EndpointClient>, result: ChatResult, now: number): void {
    this.#commitTokens(call, grant, result.usage, now);
    this.#tracker?.record(result, grant.money?.cost);
  }

  #commitTokens(
    { promptSize }: MeteredCall,
    { target: { gate }, tokens }: Grant<EndpointClient>,
    usage: Usage | null,
    now: number,
  ): void {
    if (!this.#estimates) return;
    if (usage === null) return gate.releaseTokens(now, tokens, true);
    this.#estimate.learn(promptSize, usage);
    gate.commitTokens(now, tokens, usage.promptTokens, usage.completionTokens);
  }

  /** What tokens of a completion cost in USD; `null` when that is not known. */
  cost(endpoint: EndpointClient, model: string, completion: PricedCompletion): number | null {
    if (completion.cost !== undefined && completion.cost >= 0 && completion.cost < Infinity) {
      return completion.cost;
    }
    const { usage } = completion;
    return usage === null ? null : priceOf(endpoint.pricer!, model, usage, completion);
  }

  /**
   * Records an attempt that failed: what the server counted, or else what it may bill. `received` is
   * what had arrived. Returns USD.
   */
  recordLost(
    call: MeteredCall,
    grant: Grant<EndpointClient>,
    model: string,
    error: unknown,
    now: number,
    received: Received | undefined = error instanceof FlexLLMError ? error.partial : undefined,
  ): number {
    const { target, money, tokens } = grant;
    const hasRun = mayHaveRun(error) || received !== undefined;
    target.gate.releaseTokens(now, tokens, hasRun);
    if (!hasRun || target.pricer === undefined) return 0;
    const usage = this.#lostUsage(call, received);
    // Of an answer of which nothing is known, all may be billed that was reserved.
    const known = usage && target.pricer(model, usage, requestedTier(call.options));
    const cost = known ?? money?.cost;
    if (cost === undefined || cost === 0) return 0;
    this.#tracker?.recordLost({ model, endpoint: target.name }, cost);
    return cost;
  }

  /** The tokens of an answer that broke off: as the server counted them, and by the text that came. */
  #lostUsage(
    { promptSize }: MeteredCall,
    partial: Received | undefined,
  ): Usage | undefined {
    if (partial === undefined) return undefined;
    const { usage, content, thinking, toolCalls = [] } = partial;
    let size = textSize(content) + textSize(thinking ?? "");
    for (const { function: { name, arguments: text } } of toolCalls) {
      size += textSize(name) + textSize(text);
    }
    if (!usage && (promptSize === 0 || size === 0)) return undefined;
    const received = Math.ceil(size);
    const promptTokens = usage?.promptTokens || this.#estimate.prompt(promptSize);
    const completionTokens = Math.max(usage?.completionTokens ?? 0, received);
    return {
      ...usage,
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
    };
  }
}

/** What the cost of an answer depends on. */
export type PricedCompletion = Pick<Completion, "usage" | "cost" | "serviceTier" | "billed">;
