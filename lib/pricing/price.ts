/**
 * Calculates the cost of completions by the user's prices, otherwise by the price list.
 *
 * @module
 */
import type { Usage } from "../usage.ts";
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
  // If the price list cannot be loaded, costs are unknown, but no completion is lost.
  const list = await priceListOf(baseUrl, now).catch(() => undefined);
  // Cached per model, since searching hundreds of rows for each completion is slow.
  const own = new Map<string, PriceRow | undefined>();
  const ownRates = (model: string) => {
    let row = own.get(model);
    if (row === undefined && !own.has(model)) own.set(model, row = findRow(rows, model, baseUrl));
    return row;
  };
  const { hostname } = new URL(baseUrl);
  return (model, usage, tier) => {
    const given = ownRates(model);
    if (given !== undefined) return costOf(given, usage);
    const rates = list?.ratesOf(model);
    const factor = tier === undefined ? 1 : tierFactor(hostname, tier);
    return rates === undefined || factor === undefined ? null : costOf(rates, usage, factor);
  };
}
