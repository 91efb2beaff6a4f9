/**
 * What tokens cost, and what that makes for an answer.
 *
 * @module
 */
import type { Usage } from "../usage.ts";

/** A price that changes with the size of the prompt: from above `start` tokens on, `price` for all. */
export interface TieredRate {
  /** The price below the first tier. */
  base: number;
  /** The tiers, the one with the smallest `start` first. */
  tiers: readonly { start: number; price: number }[];
}

/** USD per million tokens. */
export type Rate = number | TieredRate;

/** The prices of one model. */
export interface Rates {
  /** Tokens read. */
  input: Rate;
  /** Tokens written. */
  output: Rate;
  /** Tokens read from the provider's prompt cache; default as `input`. */
  cachedInput?: Rate;
  /** Tokens written to the provider's prompt cache; default as `input`. */
  cacheWrite?: Rate;
  /**
   * Tokens written to the prompt cache for an hour; default twice `input` where `cacheWrite` is given
   * (Anthropic, "Prompt caching"), else as `input`.
   */
  cacheWriteHour?: Rate;
  /** Tokens written while thinking; default as `output`. */
  reasoning?: Rate;
  /** USD for each request, whatever its size. */
  request?: number;
}

/** The rate for a prompt of `promptTokens`. */
function rateAt(rate: Rate, promptTokens: number): number {
  if (typeof rate === "number") return rate;
  let price = rate.base;
  for (const tier of rate.tiers) if (promptTokens > tier.start) ({ price } = tier);
  return price;
}

/**
 * What is left of `whole` when its parts are priced apart. Parts that are more than the whole cannot
 * be within it: that server counts them beside it.
 */
function rest(whole: number, parts: number): number {
  return parts <= whole ? whole - parts : whole;
}

/**
 * The cost of `usage` in USD; `null` if its counts are invalid.
 *
 * @param factor what a token costs relative to `rates`, for another service tier
 */
export function costOf(rates: Rates, usage: Usage, factor = 1): number | null {
  const { promptTokens, completionTokens } = usage;
  const { cachedTokens = 0, cacheWriteTokens = 0, cacheWriteHourTokens = 0 } = usage;
  const { reasoningTokens = 0 } = usage;
  const { input, output, cachedInput = input, cacheWrite = input, reasoning = output } = rates;
  const perMillion = (tokens: number, rate: Rate) => tokens * rateAt(rate, promptTokens);
  const hourRate = rates.cacheWriteHour ??
    (rates.cacheWrite === undefined ? input : 2 * rateAt(input, promptTokens));
  const total = perMillion(rest(promptTokens, cachedTokens + cacheWriteTokens), input) +
    perMillion(cachedTokens, cachedInput) +
    perMillion(rest(cacheWriteTokens, cacheWriteHourTokens), cacheWrite) +
    perMillion(cacheWriteHourTokens, hourRate) +
    perMillion(rest(completionTokens, reasoningTokens), output) +
    perMillion(reasoningTokens, reasoning);
  const cost = total * factor / 1e6 + (rates.request ?? 0);
  return cost >= 0 && cost < Infinity ? cost : null;
}
