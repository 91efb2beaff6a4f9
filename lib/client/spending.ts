/**
 * What the calls of a client take: tokens, estimated before and counted after; and money, set aside
 * before and recorded after.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult, Usage } from "../chat/result.ts";
import { ConfigurationError } from "../errors.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { Pricer } from "../pricing/price.ts";
import type { Completion } from "../providers/provider.ts";
import { promptSize, TokenEstimate } from "../pricing/token_estimate.ts";
import type { EndpointClient, Prepared } from "./endpoint_client.ts";

/** What is set aside of a budget for one request. */
export interface Reserved {
  /** USD. */
  readonly cost: number;
  /** Gives it back; only the first call counts. */
  release(): void;
}

/** The service tier that a request asks for (OpenAI, Anthropic, Gemini). */
function requestedTier({ extraBody }: ChatOptions): string | undefined {
  const tier = extraBody?.service_tier ?? extraBody?.serviceTier;
  return typeof tier === "string" ? tier : undefined;
}

/** The cost of an answer: of its parts, where they are billed apart. */
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
export class Spending {
  readonly #tracker: CostTracker | undefined;
  readonly #estimate = new TokenEstimate();
  readonly #estimates: boolean;
  /** Whether money has to be set aside before a request. */
  readonly isLimited: boolean;

  constructor(endpoints: readonly EndpointClient[], tracker: CostTracker | undefined) {
    this.#tracker = tracker;
    this.isLimited = tracker?.limit !== undefined;
    this.#estimates = this.isLimited || endpoints.some(({ gate }) => gate.countsTokens);
  }

  /** The size of a prompt, for the estimates of its tokens; 0 when nobody needs to know. */
  promptSize(messages: readonly Message[], options: ChatOptions): number {
    return this.#estimates ? promptSize(messages, options) : 0;
  }

  /** About how many tokens a prompt of this size has, by what is known now. */
  promptTokens(size: number): number {
    return size === 0 ? 0 : this.#estimate.prompt(size);
  }

  /**
   * Sets aside what a request can cost; waits for others to turn out cheaper when that does not fit.
   *
   * @throws {BudgetExceededError} when it cannot fit
   * @throws {ConfigurationError} when the model's price is not known
   */
  async reserve(
    { endpoint, request }: Prepared,
    promptSize: number,
    signal: AbortSignal,
  ): Promise<Reserved> {
    const tracker = this.#tracker!;
    const promptTokens = this.promptTokens(promptSize);
    const completionTokens = this.#estimate.completion(request.options);
    const totalTokens = promptTokens + completionTokens;
    const pricer = await endpoint.pricer();
    const tier = requestedTier(request.options);
    const cost = pricer(request.model, { promptTokens, completionTokens, totalTokens }, tier);
    if (cost !== null) return { cost, release: await tracker.reserve(cost, signal) };
    if (tracker.allowUnpriced) return { cost: 0, release: () => {} };
    throw new ConfigurationError(
      `the price of ${request.model} at ${endpoint.name} is not known, so no budget can hold`,
      { hint: "Give its price, or allow models without one (--allow-unpriced)." },
    );
  }

  /** Sets an answered request right for which `taken` tokens were reckoned with. */
  settle(
    endpoint: EndpointClient,
    promptSize: number,
    taken: readonly number[],
    usage: Usage | null,
  ): void {
    if (!this.#estimates || usage === null) return;
    this.#estimate.learn(promptSize, usage);
    endpoint.gate.settleTokens(taken, usage.promptTokens, usage.completionTokens);
  }

  /** The cost of an answer in USD, `null` when its price is not known. */
  cost(
    endpoint: EndpointClient,
    model: string,
    usage: Usage,
    completion: Pick<Completion, "serviceTier" | "billed">,
  ): Promise<number | null> | number | null {
    const pricer = endpoint.pricer();
    if (!(pricer instanceof Promise)) return priceOf(pricer, model, usage, completion);
    return pricer.then((pricer) => priceOf(pricer, model, usage, completion));
  }

  /** Counts an answer in; one of unknown cost with what was set aside for it. */
  record(result: ChatResult, reserved: Reserved | undefined): void {
    this.#tracker?.record(result, reserved?.cost);
  }
}
