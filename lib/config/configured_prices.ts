/**
 * The prices in the configuration, each for its model at its server.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, type ProviderName } from "../services/providers.ts";
import { ConfigurationError } from "../errors.ts";
import type { PriceRow } from "../pricing/price.ts";
import { type PriceEntry, priceRow } from "../pricing/price_file.ts";
import type { Environment } from "../files/paths.ts";
import type { ConfigValue } from "./schema.ts";

/** The part of an entry that its price depends on. */
interface PricedEntry {
  base_url?: string;
  provider?: ProviderName;
  price?: PriceEntry;
}

/** The server of an entry; `undefined` when it has none that could be asked. */
function serverOf({ base_url, provider }: PricedEntry, env: Environment): string | undefined {
  const given = base_url?.replace(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? "");
  try {
    const url = given ?? baseUrlOf(provider ?? "auto");
    return url === undefined ? undefined : normalizeBaseUrl(url);
  } catch (error) {
    // Told when this entry is asked; until then it must not stop the others.
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

/**
 * All prices of `models`: also of those that are not asked for by their entry, since a record of a
 * batch may name any model.
 */
export function configuredPrices(value: ConfigValue, env: Environment): PriceRow[] {
  return (value.models ?? []).flatMap((entry): PriceRow[] => {
    const server = entry.price && serverOf(entry, env);
    return server === undefined ? [] : [priceRow(entry.id, server, entry.price!)];
  });
}
