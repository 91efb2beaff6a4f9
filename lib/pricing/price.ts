/**
 * What a completion costs: by the prices that the user gave, else by the price list.
 *
 * @module
 */
import type { Usage } from "../chat/result.ts";
import { priceListOf } from "./price_list.ts";
import { costOf, type Rates } from "./rates.ts";

/** A price that the user gives. Amounts are USD per million tokens. */
export interface PriceRow extends Rates {
  /** The model as the server knows it. */
  model: string;
  /** The server for which it holds; every server when left out. */
  baseUrl?: string;
}

/** Gives the cost in USD of `usage` on a model, or `null` when no price is known. */
export type Pricer = (model: string, usage: Usage) => number | null;

/** The row for `model` at `baseUrl`: one for that very server before one for all. */
export function findRow(
  rows: readonly PriceRow[],
  model: string,
  baseUrl: string,
): PriceRow | undefined {
  const fitting = rows.filter((row) => row.model === model);
  return fitting.find((row) => row.baseUrl?.replace(/\/+$/, "") === baseUrl) ??
    fitting.find((row) => row.baseUrl === undefined);
}

/** Makes the pricer of the server at `baseUrl`; `rows` win over the price list. */
export async function loadPricer(
  baseUrl: string,
  rows: readonly PriceRow[] = [],
): Promise<Pricer> {
  const list = await priceListOf(baseUrl);
  const own = new Map(rows.map(({ model }) => [model, findRow(rows, model, baseUrl)]));
  return (model, usage) => {
    const rates = own.get(model) ?? list?.ratesOf(model);
    return rates === undefined ? null : costOf(rates, usage);
  };
}
