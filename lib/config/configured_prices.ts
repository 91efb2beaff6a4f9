/**
 * Collects the prices in a configuration, each for its model at its server.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, type ProviderName } from "../services/providers.ts";
import { ConfigurationError } from "../errors.ts";
import type { PriceRow } from "../pricing/price.ts";
import { type PriceEntry, priceRow } from "../pricing/price_file.ts";
import type { Environment } from "../files/paths.ts";
import { expandReferences } from "./references.ts";
import type { ConfigValue } from "./schema.ts";

/** The fields that determine which server a price applies to. */
interface PricedEntry {
  base_url?: string;
  provider?: ProviderName;
  price?: PriceEntry;
}

/** The base URL of an entry, or `undefined` if it has no valid one. */
function serverOf({ base_url, provider }: PricedEntry, env: Environment): string | undefined {
  try {
    const url = base_url === undefined
      ? baseUrlOf(provider ?? "auto")
      : expandReferences(base_url, env);
    return url === undefined ? undefined : normalizeBaseUrl(url);
  } catch (error) {
    // Reported when this model is used; until then it must not affect the others.
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

/** The prices of all configured models: a record of a batch may name any of them. */
export function configuredPrices(value: ConfigValue, env: Environment): PriceRow[] {
  return (value.models ?? []).flatMap((entry): PriceRow[] => {
    const server = entry.price && serverOf(entry, env);
    return server === undefined ? [] : [priceRow(entry.id, server, entry.price!)];
  });
}
