/**
 * What a service tier costs relative to the standard price.
 *
 * Sources: OpenAI, "Flex processing" (the price of the Batch API, half of the standard one), "Priority
 * processing" and "Pricing"; Azure, "Priority processing"; Amazon Bedrock, "Service tiers"; Gemini API,
 * "Flex and priority inference"; Groq, "Service Tiers" (flex at the standard price); Anthropic, "Service
 * tiers". The price list only has standard prices.
 *
 * @module
 */

/** Tiers at the standard price. Groq calls its own `on_demand`. */
const STANDARD: ReadonlySet<string> = new Set([
  "",
  "default",
  "standard",
  "standard_only",
  "auto",
  "on_demand",
]);
/** Tiers at half of the standard price. */
const HALF: ReadonlySet<string> = new Set(["flex", "batch"]);
/** Hosts whose prices of those are documented. */
const HALF_AT = /(^|\.)(openai\.com|anthropic\.com|googleapis\.com|amazonaws\.com|api\.aws)$/;

/**
 * What a token costs in `tier` at `hostname`, relative to the standard price; `undefined` when that is not
 * known: priority costs more, by the model, and scale or provisioned units are paid in another way.
 */
export function tierFactor(hostname: string, tier: string | undefined): number | undefined {
  const name = tier?.toLowerCase() ?? "";
  if (STANDARD.has(name)) return 1;
  if (!HALF.has(name)) return undefined;
  if (hostname === "api.groq.com" && name === "flex") return 1;
  return HALF_AT.test(hostname) ? 0.5 : undefined;
}
