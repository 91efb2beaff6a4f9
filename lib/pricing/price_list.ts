/**
 * The prices that are known without the user: data of `@pydantic/genai-prices`, loaded when first
 * needed.
 *
 * @module
 */
import type { calcPrice, ModelPrice, Provider } from "@pydantic/genai-prices";
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

/** Servers on this machine have no list prices. */
const LOCAL = /^(localhost|127\..*|\[::1\]|.*\.invalid)$/;
/** The host of the built-in mock, which is paid nothing. */
const MOCK_HOST = "mock.invalid";

/** Prices that depend on the time change at full minutes. */
const MINUTE = 60_000;

/** What the list says of a free model. Without such a word, no price is just no price. */
const FREE = /\bfree\b|included in the subscription/i;

type Calculation = NonNullable<ReturnType<typeof calcPrice>>;

function toRate(value: ModelPrice[string]): Rate | undefined {
  if (value === undefined || typeof value === "number") return value;
  return { base: value.base, tiers: value.tiers.toSorted((a, b) => a.start - b.start) };
}

/** The rates in a price of the list; `undefined` for models that do not read and write text. */
function toRates({ model, model_price: price }: Calculation): Rates | undefined {
  if (Object.keys(price).length === 0) {
    const isFree = FREE.test(`${model.id} ${model.name} ${model.price_comments}`);
    return isFree ? { input: 0, output: 0 } : undefined;
  }
  const input = toRate(price.input_mtok);
  const output = toRate(price.output_mtok);
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
 * The prices at `baseUrl`; `undefined` when the list does not know the server: the same model name may
 * cost anything there.
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
  // Looking a model up takes as long as all else that we do for a request.
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

/** All models of the list whose prices are known, by provider, with what they cost at this moment. */
export async function listedModels(now: () => number = Date.now): Promise<ListedModel[]> {
  const { calcPrice, waitForUpdate } = await import("@pydantic/genai-prices");
  const timestamp = new Date(now());
  const listed = (provider: Provider) =>
    provider.models.flatMap((model): ListedModel[] => {
      // Alone, since the search goes through all models of its provider.
      const alone = { ...provider, models: [model] };
      const price = calcPrice({}, model.id, { provider: alone, timestamp });
      const rates = price === null ? undefined : toRates(price);
      if (rates === undefined) return [];
      const { id, context_window: contextWindow } = model;
      return [{ model: id, provider: provider.name, contextWindow, rates }];
    });
  return (await waitForUpdate() ?? []).flatMap(listed);
}
