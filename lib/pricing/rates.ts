/**
 * What tokens cost, and what that makes for an answer.
 *
 * @module
 */
import type { Usage } from "../chat/result.ts";

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

/** The cost of `usage` in USD. */
export function costOf(rates: Rates, usage: Usage): number {
  const { promptTokens, completionTokens } = usage;
  const { input, output, cachedInput = input, cacheWrite = input, reasoning = output } = rates;
  // Some servers count more parts than the whole has.
  const cached = Math.min(usage.cachedTokens ?? 0, promptTokens);
  const written = Math.min(usage.cacheWriteTokens ?? 0, promptTokens - cached);
  const thought = Math.min(usage.reasoningTokens ?? 0, completionTokens);
  const perMillion = (tokens: number, rate: Rate) => tokens * rateAt(rate, promptTokens);
  const total = perMillion(promptTokens - cached - written, input) +
    perMillion(cached, cachedInput) +
    perMillion(written, cacheWrite) +
    perMillion(completionTokens - thought, output) +
    perMillion(thought, reasoning);
  return total / 1e6 + (rates.request ?? 0);
}
