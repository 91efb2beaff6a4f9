/**
 * Knows the price of service tiers relative to the standard price.
 *
 * Sources: OpenAI, "Flex processing" (the price of the Batch API, half of the standard one), "Priority
 * processing" and "Pricing"; Azure, "Priority processing"; Amazon Bedrock, "Service tiers"; Gemini API,
 * "Flex and priority inference"; Groq, "Service Tiers" (flex at the standard price); Anthropic, "Service
 * tiers". The price list has standard prices only.
 *
 * @module
 */

/** Names of the standard tier; `on_demand` is Groq's. */
const STANDARD: ReadonlySet<string> = new Set([
  "",
  "default",
  "standard",
  "standard_only",
  "auto",
  "on_demand",
]);
/** Tiers at half the standard price. */
const HALF: ReadonlySet<string> = new Set(["flex", "batch"]);
/** Hosts that document half-price tiers. */
const HALF_AT = /(^|\.)(openai\.com|anthropic\.com|googleapis\.com|amazonaws\.com|api\.aws)$/;

/**
 * Returns the price of `tier` at `hostname` relative to the standard price, or `undefined` if it is
 * unknown: the surcharge for priority depends on the model, and provisioned throughput is billed
 * differently.
 */
export function tierFactor(hostname: string, tier: string | undefined): number | undefined {
  const name = tier?.toLowerCase() ?? "";
  if (STANDARD.has(name)) return 1;
  if (!HALF.has(name)) return undefined;
  if (hostname === "api.groq.com" && name === "flex") return 1;
  return HALF_AT.test(hostname) ? 0.5 : undefined;
}
