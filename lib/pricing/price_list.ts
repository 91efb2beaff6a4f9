/**
 * Looks up prices in the built-in list, `@pydantic/genai-prices`, which is loaded on first use.
 *
 * @module
 */
import type { calcPrice, ModelPrice, Provider } from "@pydantic/genai-prices";
import { listedBatchRates } from "./batch_price.ts";
import type { Rate, Rates } from "./rates.ts";

/** A model of the price list. */
export interface ListedModel {
  /** Its id in the list; servers may accept other ids as well. */
  model: string;
  /** The provider's display name. */
  provider: string;
  /** Size of the context window in tokens, if known. */
  contextWindow?: number;
  rates: Rates;
  /** The rates through the provider's batch API, if its discount is known. */
  batch?: Rates;
}

/** Finds the rates of models at one server. */
export interface PriceList {
  /** The provider's display name. */
  readonly provider: string;
  /** The current rates of `model`, or `undefined` if they are unknown. */
  ratesOf(model: string): Rates | undefined;
}

/** Hosts that the list does not cover: this machine, and names that never resolve. */
const LOCAL = /^(localhost|127\..*|\[::1\]|.*\.invalid)$/;
/** The host of the built-in mock, which is free. */
const MOCK_HOST = "mock.invalid";

/** Time-dependent prices change on the minute. */
const MINUTE = 60_000;

/** The list's words for free models. Without them, a missing price is unknown, not 0. */
const FREE = /\bfree\b|included in the subscription/i;

/** Names of models whose answers are embeddings. */
const EMBEDDING = /\bembed/i;

type Calculation = NonNullable<ReturnType<typeof calcPrice>>;

function toRate(value: ModelPrice[string]): Rate | undefined {
  if (value === undefined || typeof value === "number") return value;
  return { base: value.base, tiers: value.tiers.toSorted((a, b) => a.start - b.start) };
}

/** Converts a price of the list; `undefined` for models without text input and output. */
function toRates({ model, model_price: price }: Calculation): Rates | undefined {
  if (Object.keys(price).length === 0) {
    const isFree = FREE.test(`${model.id} ${model.name} ${model.price_comments}`);
    return isFree ? { input: 0, output: 0 } : undefined;
  }
  const input = toRate(price.input_mtok);
  // Embeddings have no output that is billed.
  const output = toRate(price.output_mtok) ?? (EMBEDDING.test(model.id) ? 0 : undefined);
  if (input === undefined || output === undefined) return undefined;
  const perThousand = price.requests_kcount;
  return {
    input,
    output,
    cachedInput: toRate(price.cache_read_mtok),
    cacheWrite: toRate(price.cache_write_mtok),
    cacheWriteHour: toRate(price.cache_write_1h_mtok),
    reasoning: toRate(price.output_reasoning_mtok),
    request: typeof perThousand === "number" ? perThousand / 1000 : undefined,
  };
}

/**
 * Loads the prices of the server at `baseUrl`; `undefined` if the list does not cover that server, since
 * prices of the same model differ between servers.
 *
 * @param now milliseconds since 1970, for prices that depend on the time
 */
export async function priceListOf(
  baseUrl: string,
  now: () => number = Date.now,
): Promise<PriceList | undefined> {
  const { hostname } = new URL(baseUrl);
  if (hostname === MOCK_HOST) return { provider: "mock", ratesOf: () => ({ input: 0, output: 0 }) };
  if (LOCAL.test(hostname)) return undefined;
  const { calcPrice, findProvider } = await import("@pydantic/genai-prices");
  const provider = findProvider({ providerApiUrl: baseUrl });
  if (provider === undefined) return undefined;
  // Cached, since a lookup takes as long as all other processing of a request.
  const known = new Map<string, { rates: Rates | undefined; until: number }>();
  return {
    provider: provider.name,
    ratesOf(model) {
      const found = known.get(model);
      if (found !== undefined && (found.until === Infinity || now() < found.until)) {
        return found.rates;
      }
      const time = now();
      const price = calcPrice({}, model, { provider, timestamp: new Date(time) });
      const rates = price === null ? undefined : toRates(price);
      const changes = price !== null && Array.isArray(price.model.prices);
      known.set(model, { rates, until: changes ? time - time % MINUTE + MINUTE : Infinity });
      return rates;
    },
  };
}

/** Lists all models with known prices by provider, with their current rates. */
export async function listedModels(now: () => number = Date.now): Promise<ListedModel[]> {
  const { calcPrice, waitForUpdate } = await import("@pydantic/genai-prices");
  const timestamp = new Date(now());
  const listed = (provider: Provider) =>
    provider.models.flatMap((model): ListedModel[] => {
      // calcPrice() searches all models of the provider: give it just this one.
      const alone = { ...provider, models: [model] };
      const price = calcPrice({}, model.id, { provider: alone, timestamp });
      const rates = price === null ? undefined : toRates(price);
      if (rates === undefined) return [];
      const { id, context_window: contextWindow } = model;
      const batch = listedBatchRates(provider.id, rates);
      return [{ model: id, provider: provider.name, contextWindow, rates, batch }];
    });
  return (await waitForUpdate() ?? []).flatMap(listed);
}
