/**
 * The prices that are known without the user: data of `@pydantic/genai-prices`, loaded when first
 * needed.
 *
 * @module
 */
import type { ModelPrice, Provider } from "@pydantic/genai-prices";
import type { Rate, Rates } from "./rates.ts";

/** A model of the price list. */
export interface ListedModel {
  /** Its name in the list; servers may know it by others, too. */
  model: string;
  /** The provider's name for people. */
  provider: string;
  /** Tokens that it can read, where known. */
  contextWindow?: number;
  rates: Rates;
}

/** Finds the rates of models at one server. */
export interface PriceList {
  /** The provider's name for people. */
  readonly provider: string;
  /** The rates of `model` at this moment, `undefined` when they are not known. */
  ratesOf(model: string): Rates | undefined;
}

/** Servers on this machine, and the built-in mock, have no list prices. */
const LOCAL = /^(localhost|127\..*|\[::1\]|.*\.invalid)$/;

/** Milliseconds for which rates are kept that depend on the time of day. */
const KEPT = 60_000;

function toRate(value: ModelPrice[string]): Rate | undefined {
  if (value === undefined || typeof value === "number") return value;
  return { base: value.base, tiers: value.tiers };
}

/** The rates in a price of the list; `undefined` for models that do not write text. */
function toRates(price: ModelPrice): Rates | undefined {
  // No price at all is how the list says that a model is free.
  if (Object.keys(price).length === 0) return { input: 0, output: 0 };
  const input = toRate(price.input_mtok);
  const output = toRate(price.output_mtok);
  if (input === undefined && output === undefined) return undefined;
  const perThousand = price.requests_kcount;
  return {
    input: input ?? 0,
    output: output ?? 0,
    cachedInput: toRate(price.cache_read_mtok),
    cacheWrite: toRate(price.cache_write_mtok),
    reasoning: toRate(price.output_reasoning_mtok),
    request: typeof perThousand === "number" ? perThousand / 1000 : undefined,
  };
}

/**
 * The prices at `baseUrl`; `undefined` when the list does not know the server: the same model name may
 * cost anything there.
 */
export async function priceListOf(baseUrl: string): Promise<PriceList | undefined> {
  if (LOCAL.test(new URL(baseUrl).hostname)) return undefined;
  const { calcPrice, findProvider } = await import("@pydantic/genai-prices");
  const provider = findProvider({ providerApiUrl: baseUrl });
  if (provider === undefined) return undefined;
  // Looking a model up takes as long as all else that we do for a request.
  const known = new Map<string, { rates: Rates | undefined; until: number }>();
  return {
    provider: provider.name,
    ratesOf(model) {
      const found = known.get(model);
      if (found !== undefined && found.until > performance.now()) return found.rates;
      const price = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { provider });
      const rates = price === null ? undefined : toRates(price.model_price);
      const changes = price !== null && Array.isArray(price.model.prices);
      known.set(model, { rates, until: changes ? performance.now() + KEPT : Infinity });
      return rates;
    },
  };
}

function listed(provider: Provider): ListedModel[] {
  return provider.models.flatMap(({ id, prices, context_window }) => {
    const rates = toRates(Array.isArray(prices) ? prices.at(-1)?.prices ?? {} : prices);
    if (rates === undefined) return [];
    return [{ model: id, provider: provider.name, contextWindow: context_window, rates }];
  });
}

/** All models of the list, by provider. */
export async function listedModels(): Promise<ListedModel[]> {
  const { waitForUpdate } = await import("@pydantic/genai-prices");
  return (await waitForUpdate() ?? []).flatMap(listed);
}
