/**
 * Looks up model prices and calculates costs, for users of the library.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, type ProviderName } from "../services/providers.ts";
import { ConfigurationError } from "../errors.ts";
import { findRow, type PriceRow } from "./price.ts";
import { listedModels, priceListOf } from "./price_list.ts";
import { costOf, type Rates } from "./rates.ts";

/** Identifies the model to look up. */
export interface PricingQuery {
  /** The model's id at the server. */
  model: string;
  /**
   * The service.
   *
   * @default "auto", detected from the base URL
   */
  provider?: ProviderName;
  /**
   * The server's base URL.
   *
   * @default the provider's base URL
   */
  baseUrl?: string;
  /** Prices that take precedence over the price list. */
  prices?: readonly PriceRow[];
}

/** The prices of one model, in USD per million tokens. */
export interface ModelPricing extends Rates {
  /** The model's id. */
  model: string;
  /** `user` for prices passed by the caller, otherwise the price list. */
  source: "user" | "genai-prices";
  /** The provider's name in the price list; in {@link listPricing}, the host of a user's price. */
  provider?: string;
}

/**
 * Returns the prices of a model at a server, or `null` if they are unknown. Loads the price list.
 *
 * @throws {ConfigurationError} if neither a provider nor a base URL is given
 */
export async function getPricing(query: PricingQuery): Promise<ModelPricing | null> {
  const { model, provider = "auto", prices = [] } = query;
  const server = query.baseUrl ?? baseUrlOf(provider);
  if (server === undefined) {
    throw new ConfigurationError("getPricing needs a provider or a base URL", {
      hint: "Prices of the same model differ between servers.",
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

/** Lists all models with known prices, as of now: `prices` first, then the price list, which it loads. */
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

/** Identifies a model and the token counts of a request. */
export interface CostQuery extends PricingQuery {
  /** Input tokens, including cached ones. */
  promptTokens: number;
  /** Output tokens. */
  completionTokens: number;
  /**
   * The number of `promptTokens` read from the provider's prompt cache.
   *
   * @default 0
   */
  cachedTokens?: number;
}

/**
 * Calculates the cost of a request in USD, or `null` if the price is unknown.
 *
 * @throws {ConfigurationError} if neither a provider nor a base URL is given
 */
export async function estimateCost(query: CostQuery): Promise<number | null> {
  const rates = await getPricing(query);
  if (rates === null) return null;
  const { promptTokens, completionTokens, cachedTokens } = query;
  const totalTokens = promptTokens + completionTokens;
  return costOf(rates, { promptTokens, completionTokens, totalTokens, cachedTokens });
}
