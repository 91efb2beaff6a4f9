/**
 * What a completion costs. Prices are data of `@pydantic/genai-prices`, loaded when first needed.
 *
 * @module
 */
import type { Usage } from "../chat/result.ts";

/** Gives the cost in USD of `usage` on a model, or `null` when no price is known. */
export type Pricer = (model: string, usage: Usage) => number | null;

/** Servers on this machine, and the built-in mock, have no list prices. */
const LOCAL = /^(localhost|127\..*|\[::1\]|.*\.invalid)$/;

/**
 * Makes the pricer of the service at `baseUrl`. A server whose URL the price list does not know has
 * no prices: the same model name may cost anything there.
 */
export async function loadPricer(baseUrl: string): Promise<Pricer> {
  if (LOCAL.test(new URL(baseUrl).hostname)) return () => null;
  const { calcPrice, findProvider } = await import("@pydantic/genai-prices");
  const provider = findProvider({ providerApiUrl: baseUrl });
  if (provider === undefined) return () => null;
  return (model, usage) => {
    const price = calcPrice(
      {
        input_tokens: usage.promptTokens,
        output_tokens: usage.completionTokens,
        cache_read_tokens: usage.cachedTokens ?? 0,
      },
      model,
      { provider },
    );
    return price === null ? null : price.total_price;
  };
}
