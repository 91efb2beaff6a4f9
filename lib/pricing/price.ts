/**
 * Calculates the cost of completions by the user's prices, otherwise by the price list.
 *
 * @module
 */
import type { Usage } from "../usage.ts";
import { type BatchPrice, batchRates } from "./batch_price.ts";
import { priceListOf } from "./price_list.ts";
import { costOf, type Rates } from "./rates.ts";
import { tierFactor } from "./service_tier.ts";

/** A price set by the user, in USD per million tokens. */
export interface PriceRow extends Rates {
  /** The model's id at the server. */
  model: string;
  /**
   * The base URL of the server that the price applies to.
   *
   * @default every server
   */
  baseUrl?: string;
  /**
   * The price through the provider's batch API: relative to this one (0.5 is half of it), or its own rates.
   *
   * @default the provider's discount, if it is known
   */
  batch?: BatchPrice;
}

/**
 * Returns the cost of `usage` on a model in USD, or `null` if no price is known.
 *
 * @param tier the service tier reported by the server; the user's prices apply to every tier
 */
export type Pricer = (model: string, usage: Usage, tier?: string) => number | null;

/** A normalized base URL, for comparison. */
function normalized(url: string): string {
  return (URL.parse(url)?.href ?? url).replace(/\/+$/, "");
}

/** Finds the price of `model` at `baseUrl`. A price for that server takes precedence over one for every server. */
export function findRow(
  rows: readonly PriceRow[],
  model: string,
  baseUrl: string,
): PriceRow | undefined {
  const server = normalized(baseUrl);
  const matching = rows.filter((row) => row.model === model);
  return matching.find((row) => row.baseUrl !== undefined && normalized(row.baseUrl) === server) ??
    matching.find((row) => row.baseUrl === undefined);
}

/** The batch rates of the user's price; `undefined` if they are unknown. */
export function ownBatchRates(row: PriceRow): Rates | undefined {
  return batchRates(URL.parse(row.baseUrl ?? "")?.hostname ?? "", row);
}

/** The rates of the models at one server. */
interface ServerRates {
  hostname: string;
  /** The user's price of a model. */
  own(model: string): PriceRow | undefined;
  /** The listed price of a model. */
  listed(model: string): Rates | undefined;
}

async function serverRates(
  baseUrl: string,
  rows: readonly PriceRow[],
  now: (() => number) | undefined,
): Promise<ServerRates> {
  // If the price list cannot be loaded, costs are unknown, but no completion is lost.
  const list = await priceListOf(baseUrl, now).catch(() => undefined);
  // Cached per model, since searching hundreds of rows for each completion is slow.
  const known = new Map<string, PriceRow | undefined>();
  return {
    hostname: new URL(baseUrl).hostname,
    own(model) {
      let row = known.get(model);
      if (row === undefined && !known.has(model)) {
        known.set(model, row = findRow(rows, model, baseUrl));
      }
      return row;
    },
    listed: (model) => list?.ratesOf(model),
  };
}

/**
 * Loads the pricer for the server at `baseUrl`; `rows` take precedence over the price list.
 *
 * @param now milliseconds since 1970, for prices that depend on the time
 */
export async function loadPricer(
  baseUrl: string,
  rows: readonly PriceRow[] = [],
  now?: () => number,
): Promise<Pricer> {
  const { hostname, own, listed } = await serverRates(baseUrl, rows, now);
  return (model, usage, tier) => {
    const given = own(model);
    if (given !== undefined) return costOf(given, usage);
    const rates = listed(model);
    const factor = tier === undefined ? 1 : tierFactor(hostname, tier);
    return rates === undefined || factor === undefined ? null : costOf(rates, usage, factor);
  };
}

/**
 * Loads the pricer for requests through the batch API of the server at `baseUrl`. It ignores the service tier:
 * the batch price is the whole discount.
 *
 * @param now milliseconds since 1970, for prices that depend on the time
 */
export async function loadBatchPricer(
  baseUrl: string,
  rows: readonly PriceRow[] = [],
  now?: () => number,
): Promise<Pricer> {
  const { hostname, own, listed } = await serverRates(baseUrl, rows, now);
  const known = new WeakMap<Rates, { rates: Rates | undefined }>();
  return (model, usage) => {
    const standard = own(model) ?? listed(model);
    if (standard === undefined) return null;
    let batch = known.get(standard);
    if (batch === undefined) {
      known.set(standard, batch = { rates: batchRates(hostname, standard) });
    }
    return batch.rates === undefined ? null : costOf(batch.rates, usage);
  };
}
