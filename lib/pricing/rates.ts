/**
 * Calculates the cost of a completion from its usage and the rates of its model.
 *
 * @module
 */
import type { Usage } from "../usage.ts";

/** A rate that depends on the prompt size: above `start` input tokens, `price` applies to all tokens. */
export interface TieredRate {
  /** The rate up to the first tier. */
  base: number;
  /** The tiers in ascending order of `start`. */
  tiers: readonly { start: number; price: number }[];
}

/** USD per million tokens. */
export type Rate = number | TieredRate;

/** The rates of one model, in USD per million tokens unless noted. */
export interface Rates {
  /** Input tokens. */
  input: Rate;
  /** Output tokens. */
  output: Rate;
  /**
   * Input tokens read from the provider's prompt cache.
   *
   * @default `input`
   */
  cachedInput?: Rate;
  /**
   * Input tokens written to the provider's prompt cache.
   *
   * @default `input`
   */
  cacheWrite?: Rate;
  /**
   * Input tokens written to the prompt cache with a lifetime of one hour.
   *
   * @default twice `input` if `cacheWrite` is set (Anthropic, "Prompt caching"), otherwise `input`
   */
  cacheWriteHour?: Rate;
  /**
   * Reasoning tokens.
   *
   * @default `output`
   */
  reasoning?: Rate;
  /**
   * USD per request.
   *
   * @default 0
   */
  request?: number;
}

/** The rate that applies to a prompt of `promptTokens`. */
function rateAt(rate: Rate, promptTokens: number): number {
  if (typeof rate === "number") return rate;
  let price = rate.base;
  for (const tier of rate.tiers) if (promptTokens > tier.start) ({ price } = tier);
  return price;
}

/**
 * The tokens of `total` that are not in the separately priced `parts`. If the parts exceed the total, the
 * server does not include them in it.
 */
function remainder(total: number, parts: number): number {
  return parts <= total ? total - parts : total;
}

/**
 * Calculates the cost of `usage` in USD; `null` if its counts are invalid.
 *
 * @param factor the price of the service tier relative to `rates`
 */
export function costOf(rates: Rates, usage: Usage, factor = 1): number | null {
  const { promptTokens, completionTokens } = usage;
  const { cachedTokens = 0, cacheWriteTokens = 0, cacheWriteHourTokens = 0 } = usage;
  const { reasoningTokens = 0 } = usage;
  const { input, output, cachedInput = input, cacheWrite = input, reasoning = output } = rates;
  const costTimesMillion = (tokens: number, rate: Rate) => tokens * rateAt(rate, promptTokens);
  const hourRate = rates.cacheWriteHour ??
    (rates.cacheWrite === undefined ? input : 2 * rateAt(input, promptTokens));
  const total = costTimesMillion(remainder(promptTokens, cachedTokens + cacheWriteTokens), input) +
    costTimesMillion(cachedTokens, cachedInput) +
    costTimesMillion(remainder(cacheWriteTokens, cacheWriteHourTokens), cacheWrite) +
    costTimesMillion(cacheWriteHourTokens, hourRate) +
    costTimesMillion(remainder(completionTokens, reasoningTokens), output) +
    costTimesMillion(reasoningTokens, reasoning);
  const cost = total * factor / 1e6 + (rates.request ?? 0);
  return cost >= 0 && cost < Infinity ? cost : null;
}
