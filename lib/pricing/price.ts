/**
 * What a completion costs: by the prices that the user gave, else by the price list.
 *
 * @module
 */
import type { Usage } from "../usage.ts";
import { priceListOf } from "./price_list.ts";
import { costOf, type Rates } from "./rates.ts";
import { tierFactor } from "./service_tier.ts";

/** A price that the user gives. Amounts are USD per million tokens. */
export interface PriceRow extends Rates {
  /** The model as the server knows it. */
  model: string;
  /** The server for which it holds; every server when left out. */
  baseUrl?: string;
}

/**
 * Returns the cost of `usage` on a model in USD, or `null` if no price is known.
 *
 * @param tier the service tier, as the server names it; a price that the user gave holds for every tier
 */
export type Pricer = (model: string, usage: Usage, tier?: string) => number | null;

/** A URL in the one form that all that mean the same server have. */
function serverOf(url: string): string {
  return (URL.parse(url)?.href ?? url).replace(/\/+$/, "");
}

/** The row for `model` at `baseUrl`: one for that very server before one for all. */
export function findRow(
  rows: readonly PriceRow[],
  model: string,
  baseUrl: string,
): PriceRow | undefined {
  const server = serverOf(baseUrl);
  const fitting = rows.filter((row) => row.model === model);
  return fitting.find((row) => row.baseUrl !== undefined && serverOf(row.baseUrl) === server) ??
    fitting.find((row) => row.baseUrl === undefined);
}

/**
 * Makes the pricer of the server at `baseUrl`; `rows` win over the price list.
 *
 * @param now milliseconds since 1970, for prices that depend on the time
 */
export async function loadPricer(
  baseUrl: string,
  rows: readonly PriceRow[] = [],
  now?: () => number,
): Promise<Pricer> {
  // A list that cannot be loaded knows no prices; an answer must not be lost for it.
  const list = await priceListOf(baseUrl, now).catch(() => undefined);
  /** The user's row of each model that was asked for, found once: there may be many hundreds. */
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
