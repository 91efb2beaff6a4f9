/**
 * Prices, for people and programs that ask for them.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, type ProviderName } from "../services/providers.ts";
import { ConfigurationError } from "../errors.ts";
import { findRow, type PriceRow } from "./price.ts";
import { listedModels, priceListOf } from "./price_list.ts";
import { costOf, type Rates } from "./rates.ts";

/** Which model's price is asked for. */
export interface PricingQuery {
  /** The model as the server knows it. */
  model: string;
  /** The service; default the base URL. */
  provider?: ProviderName;
  /** The server; default the provider's. */
  baseUrl?: string;
  /** Prices that win over the price list. */
  prices?: readonly PriceRow[];
}

/** The prices of one model, in USD per million tokens. */
export interface ModelPricing extends Rates {
  /** The model that was asked for. */
  model: string;
  /** Whose prices they are. */
  source: "user" | "genai-prices";
  /** The provider's name, where the price list knows it; in a list, the host of a user's price. */
  provider?: string;
}

/**
 * The prices of a model at a server, or `null` when they are not known. Loads the price list.
 *
 * @throws {ConfigurationError} when neither a provider nor a base URL is given
 */
export async function getPricing(query: PricingQuery): Promise<ModelPricing | null> {
  const { model, provider = "auto", prices = [] } = query;
  const server = query.baseUrl ?? baseUrlOf(provider);
  if (server === undefined) {
    throw new ConfigurationError("getPricing needs a provider or a base URL", {
      hint: "The same model name may cost anything at another server.",
    });
  }
  const baseUrl = normalizeBaseUrl(server);
  const row = findRow(prices, model, baseUrl);
  if (row !== undefined) {
    const { model: _model, baseUrl: _baseUrl, ...rates } = row;
    return { ...rates, model, source: "user" };
  }
  const list = await priceListOf(baseUrl);
  const rates = list?.ratesOf(model);
  if (rates === undefined) return null;
  return { ...rates, model, source: "genai-prices", provider: list!.provider };
}

/**
 * All models whose prices are known, with what they cost at this moment: those of `prices`, then the
 * price list. Loads the price list.
 */
export async function listPricing(prices: readonly PriceRow[] = []): Promise<ModelPricing[]> {
  const own = prices.map(({ baseUrl, ...price }): ModelPricing => ({
    ...price,
    source: "user",
    provider: baseUrl === undefined ? undefined : new URL(baseUrl).host,
  }));
  const listed = (await listedModels()).map(({ model, provider, rates }): ModelPricing => ({
    ...rates,
    model,
    source: "genai-prices",
    provider,
  }));
  return [...own, ...listed];
}

/** How many tokens a request has. */
export interface CostQuery extends PricingQuery {
  /** Tokens read, with cached ones. */
  promptTokens: number;
  /** Tokens written. */
  completionTokens: number;
  /** Of `promptTokens`, those read from the provider's prompt cache. */
  cachedTokens?: number;
}

/**
 * What so many tokens cost, in USD; `null` when the price is not known.
 *
 * @throws {ConfigurationError} when neither a provider nor a base URL is given
 */
export async function estimateCost(query: CostQuery): Promise<number | null> {
  const rates = await getPricing(query);
  if (rates === null) return null;
  const { promptTokens, completionTokens, cachedTokens } = query;
  const totalTokens = promptTokens + completionTokens;
  return costOf(rates, { promptTokens, completionTokens, totalTokens, cachedTokens });
}
