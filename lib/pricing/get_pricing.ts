/**
 * Looks up prices and estimates costs.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, type ProviderName } from "../services/providers.ts";
import { ConfigurationError } from "../errors.ts";
import { batchRates } from "./batch_price.ts";
import { findRow, ownBatchRates, type PriceRow } from "./price.ts";
import { listedModels, priceListOf } from "./price_list.ts";
import { costOf, type Rates } from "./rates.ts";

/** The model whose price to look up. */
export interface PricingQuery {
  /** The model, under the server's name for it. */
  model: string;
  /**
   * The service.
   *
   * @default determined from `baseUrl`
   */
  provider?: ProviderName;
  /**
   * The server.
   *
   * @default the provider's own
   */
  baseUrl?: string;
  /** Prices that override the price list. */
  prices?: readonly PriceRow[];
  /**
   * Whether to look up the price through the provider's batch API, whose discount may be unknown.
   *
   * @default false
   */
  batch?: boolean;
}

/** The prices of one model, in USD per million tokens. */
export interface ModelPricing extends Rates {
  /** The model. */
  model: string;
  /** The origin of the prices: your own, or the list of the genai-prices package. */
  source: "user" | "genai-prices";
  /** The provider's name in the price list; for your own price in a list, its host. */
  provider?: string;
  /** The prices through the provider's batch API, in lists; absent if its discount is unknown. */
  batch?: Rates;
}

/**
 * Looks up the prices of a model at a server; `null` if they are unknown. Loads the price list.
 *
 * @throws {ConfigurationError} if there is neither a provider nor a base URL
 *
 * @example
 * ```ts
 * import { getPricing } from "@flexllm/flexllm";
 *
 * const price = await getPricing({ provider: "openai", model: "gpt-4.1-mini" });
 * console.log(price?.input, price?.output); // USD per million tokens
 * ```
 */
export async function getPricing(query: PricingQuery): Promise<ModelPricing | null> {
  const { model, provider = "auto", prices = [], batch = false } = query;
  const server = query.baseUrl ?? baseUrlOf(provider);
  if (server === undefined) {
    throw new ConfigurationError("getPricing needs a provider or a base URL", {
      hint: "The price of a model depends on the server.",
    });
  }
  const baseUrl = normalizeBaseUrl(server);
  const row = findRow(prices, model, baseUrl);
  const list = row === undefined ? await priceListOf(baseUrl) : undefined;
  const standard = row ?? list?.ratesOf(model);
  if (standard === undefined) return null;
  const rates = batch ? batchRates(new URL(baseUrl).hostname, standard) : ratesOf(standard);
  if (rates === undefined) return null;
  return row === undefined
    ? { ...rates, model, source: "genai-prices", provider: list!.provider }
    : { ...rates, model, source: "user" };
}

/** The standard rates of a price, without its other fields. */
function ratesOf(price: Rates & Partial<PriceRow>): Rates {
  const { model: _model, baseUrl: _baseUrl, batch: _batch, ...rates } = price;
  return rates;
}

/**
 * Lists the current prices of all models: those of `prices`, then the price list, which this loads.
 *
 * @example
 * ```ts
 * import { listPricing } from "@flexllm/flexllm";
 *
 * const prices = await listPricing();
 * console.log(prices.filter(({ model }) => model.includes("haiku")));
 * ```
 */
export async function listPricing(prices: readonly PriceRow[] = []): Promise<ModelPricing[]> {
  const own = prices.map((price): ModelPricing => ({
    ...ratesOf(price),
    model: price.model,
    source: "user",
    provider: price.baseUrl === undefined ? undefined : new URL(price.baseUrl).host,
    ...withBatch(ownBatchRates(price)),
  }));
  const listed = (await listedModels()).map(({ model, provider, rates, batch }): ModelPricing => ({
    ...rates,
    model,
    source: "genai-prices",
    provider,
    ...withBatch(batch),
  }));
  return [...own, ...listed];
}

function withBatch(batch: Rates | undefined): { batch?: Rates } {
  return batch === undefined ? {} : { batch };
}

/** The model and the tokens whose cost to estimate. */
export interface CostQuery extends PricingQuery {
  /** Input tokens, including cached ones. */
  promptTokens: number;
  /** Output tokens. */
  completionTokens: number;
  /** The part of `promptTokens` read from the provider's prompt cache. */
  cachedTokens?: number;
}

/**
 * Estimates the cost of a number of tokens in USD; `null` if the price is unknown.
 *
 * @throws {ConfigurationError} if there is neither a provider nor a base URL
 *
 * @example
 * ```ts
 * import { estimateCost } from "@flexllm/flexllm";
 *
 * const model = { provider: "openai", model: "gpt-4.1-mini" } as const;
 * console.log(await estimateCost({ ...model, promptTokens: 1_000_000, completionTokens: 0 }));
 * ```
 */
export async function estimateCost(query: CostQuery): Promise<number | null> {
  const rates = await getPricing(query);
  if (rates === null) return null;
  const { promptTokens, completionTokens, cachedTokens } = query;
  const totalTokens = promptTokens + completionTokens;
  return costOf(rates, { promptTokens, completionTokens, totalTokens, cachedTokens });
}
