/**
 * Knows what providers charge for requests through their batch APIs, relative to their standard prices.
 *
 * Sources: the pricing and batch pages of OpenAI, Azure OpenAI, Anthropic, Gemini API, Mistral, Groq, Fireworks,
 * SiliconFlow and Alibaba Model Studio (half price each). How batches and prompt caching combine: Anthropic,
 * "Batch processing" (the discounts stack); OpenAI, "Pricing" (cached input has its own batch price, half of the
 * standard one); Groq, "Batch" (half price whether cached or not); Gemini API, "Pricing" (the same price for
 * cached tokens on both cards); Fireworks, "Batch API" (half of the batch price); Alibaba, "Batch" (no cache
 * discount). Together discounts only some models, xAI's discount differs by model, and OpenRouter's price is
 * only known after the answer: their prices are unknown here. The price list has standard prices only.
 *
 * @module
 */
import type { Rate, Rates } from "./rates.ts";

/**
 * The price of requests through a batch API: relative to the standard one (0.5 is half of it), or its own
 * rates.
 */
export type BatchPrice = number | Rates;

/**
 * How input tokens from the prompt cache are billed: at the cached price times the factor (`stacks`), at the
 * standard cached price (`same`), at the batch price of other input tokens (`none`) or at half of that (`half`).
 */
type CachedRule = "stacks" | "same" | "none" | "half";

/** The batch price of one provider. */
interface BatchRule {
  /** Its hosts. */
  hosts: RegExp;
  /** Its id in the price list. */
  listed: string;
  /** The price relative to the standard one. */
  factor: number;
  cached: CachedRule;
}

/** Where the combination with caching is not documented, cached tokens count as others: never too little. */
const RULES: readonly BatchRule[] = [
  { hosts: /(^|\.)api\.openai\.com$/, listed: "openai", factor: 0.5, cached: "stacks" },
  {
    hosts: /\.(openai|cognitiveservices)\.azure\.com$/,
    listed: "azure",
    factor: 0.5,
    cached: "stacks",
  },
  { hosts: /^api\.anthropic\.com$/, listed: "anthropic", factor: 0.5, cached: "stacks" },
  {
    hosts: /^generativelanguage\.googleapis\.com$/,
    listed: "google",
    factor: 0.5,
    cached: "same",
  },
  { hosts: /^api\.mistral\.ai$/, listed: "mistral", factor: 0.5, cached: "none" },
  { hosts: /^api\.groq\.com$/, listed: "groq", factor: 0.5, cached: "none" },
  { hosts: /^api\.fireworks\.ai$/, listed: "fireworks", factor: 0.5, cached: "half" },
  { hosts: /^api\.siliconflow\.(cn|com)$/, listed: "siliconflow", factor: 0.5, cached: "none" },
  { hosts: /^dashscope[\w-]*\.aliyuncs\.com$/, listed: "dashscope", factor: 0.5, cached: "none" },
  // The built-in mock, which is free.
  { hosts: /^mock\.invalid$/, listed: "mock", factor: 0.5, cached: "stacks" },
];

/** Why the batch prices of some services are unknown. */
const UNKNOWN: readonly [hosts: RegExp, reason: string][] = [
  [/(^|\.)together\.(xyz|ai)$/, "only some models have a discount"],
  [/^api\.x\.ai$/, "the discount depends on the model"],
  [/(^|\.)openrouter\.ai$/, "known only after the answers"],
];

/** Why the batch price at the server `hostname` is unknown, for models with a known standard price. */
export function unknownBatchPrice(hostname: string): string {
  const [, reason] = UNKNOWN.find(([hosts]) => hosts.test(hostname)) ??
    [undefined, "the discount of this service is unknown"];
  return reason;
}

/** Multiplies a rate. */
function scaled(rate: Rate, factor: number): Rate {
  if (typeof rate === "number") return rate * factor;
  const tiers = rate.tiers.map(({ start, price }) => ({ start, price: price * factor }));
  return { base: rate.base * factor, tiers };
}

function cachedRate(rates: Rates, { factor, cached }: CachedTerms): Rate | undefined {
  const { input, cachedInput } = rates;
  switch (cached) {
    case "stacks":
      return cachedInput && scaled(cachedInput, factor);
    case "same":
      return cachedInput;
    case "none":
      return undefined;
    case "half":
      return scaled(input, factor / 2);
  }
}

type CachedTerms = Pick<BatchRule, "factor" | "cached">;

/** The rates of a batch. Prices per request, such as fees of a search, are not discounted. */
function discounted(rates: Rates, terms: CachedTerms): Rates {
  const { input, output, cacheWrite, cacheWriteHour, reasoning, request } = rates;
  const { factor } = terms;
  const optional = (rate: Rate | undefined) =>
    rate === undefined ? undefined : scaled(rate, factor);
  return {
    input: scaled(input, factor),
    output: scaled(output, factor),
    cachedInput: cachedRate(rates, terms),
    cacheWrite: optional(cacheWrite),
    cacheWriteHour: optional(cacheWriteHour),
    reasoning: optional(reasoning),
    request,
  };
}

/** Rates that may come with a batch price of the user. */
type PricedRates = Rates & { batch?: BatchPrice };

function ratesBy(rule: BatchRule | undefined, rates: PricedRates): Rates | undefined {
  const { batch } = rates;
  if (typeof batch === "object") return batch;
  if (batch !== undefined) {
    return discounted(rates, { factor: batch, cached: rule?.cached ?? "stacks" });
  }
  return rule && discounted(rates, rule);
}

/**
 * The rates of a batch at the server `hostname` of a model with these standard rates; `undefined` if its
 * discount is unknown. A `batch` of the user takes precedence.
 */
export function batchRates(hostname: string, rates: PricedRates): Rates | undefined {
  return ratesBy(RULES.find(({ hosts }) => hosts.test(hostname)), rates);
}

/** The same for a provider of the price list, by its id there. */
export function listedBatchRates(provider: string, rates: Rates): Rates | undefined {
  return ratesBy(RULES.find(({ listed }) => listed === provider), rates);
}
