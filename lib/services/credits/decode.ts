/**
 * Decodes the answers of balance APIs. Pure.
 *
 * Sources: OpenRouter API reference, "Get current API key" and "Get credits"; DeepSeek API reference,
 * "Get User Balance"; SiliconFlow API reference, "User info" (`/user/info`); AI/ML API documentation,
 * "Account Balance"; OpenAI API reference, "Costs" (`/organization/costs`).
 *
 * @module
 */
import { MalformedResponseError } from "../../errors.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../../json/json.ts";

/** An amount; `currency` is an ISO code, or `credits` if the service has its own unit. */
export interface Amount {
  label: string;
  amount: number;
  currency: string;
}

/** The state of an account or a key. */
export interface Credits {
  /** What is left to spend, one for each currency; empty if the service does not report it. */
  remaining: Amount[];
  /** Other amounts, such as what was spent. */
  details: Amount[];
  /** Further facts, each a sentence. */
  notes: string[];
}

/** Parses an amount, which services send as a number or as text. */
function toAmount(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const parsed = asNumber(number);
  return parsed === undefined || Number.isNaN(parsed) ? undefined : parsed;
}

function amount(label: string, value: unknown, currency: string): Amount[] {
  const parsed = toAmount(value);
  return parsed === undefined ? [] : [{ label, amount: parsed, currency }];
}

function unreadable(what: string): MalformedResponseError {
  return new MalformedResponseError(`the server's answer does not contain ${what}`, {
    hint: "Check the base URL: it must be that of the service itself.",
  });
}

function expectObject(body: unknown, what: string): Json {
  const object = asObject(body);
  if (object === undefined) throw unreadable(what);
  return object;
}

/** OpenRouter's `/key`: the limit and usage of this key, in USD. */
export function decodeOpenRouterKey(body: unknown): Credits {
  const data = expectObject(asObject(body)?.data, "the usage of the key");
  const used = amount("used by this key", data.usage, "USD");
  if (used.length === 0) throw unreadable("the usage of the key");
  const limit = toAmount(data.limit);
  const reset = asText(data.limit_reset);
  const expires = asText(data.expires_at);
  return {
    remaining: amount("left of the key's limit", data.limit_remaining, "USD"),
    details: [
      ...amount("limit of this key", data.limit, "USD"),
      ...used,
      ...amount("used today", data.usage_daily, "USD"),
      ...amount("used this month", data.usage_monthly, "USD"),
    ],
    notes: [
      ...limit === undefined ? ["This key has no limit of its own."] : [],
      ...reset === undefined ? [] : [`The key's limit resets: ${reset}.`],
      ...expires === undefined ? [] : [`The key expires at ${expires}.`],
      ...data.is_free_tier === true ? ["The account has never bought credits (free tier)."] : [],
    ],
  };
}

/** OpenRouter's `/credits`: the purchased and used credits of the account, in USD. */
export function decodeOpenRouterCredits(body: unknown): Credits {
  const data = expectObject(asObject(body)?.data, "the balance of the account");
  const total = toAmount(data.total_credits);
  const used = toAmount(data.total_usage);
  if (total === undefined || used === undefined) throw unreadable("the balance of the account");
  return {
    remaining: amount("left on the account", total - used, "USD"),
    details: [
      ...amount("bought", total, "USD"),
      ...amount("used by the account", used, "USD"),
    ],
    notes: [],
  };
}

/** DeepSeek's `/user/balance`: one balance for each currency. */
export function decodeDeepSeek(body: unknown): Credits {
  const answer = expectObject(body, "the balance");
  const infos = asObjects(answer.balance_infos);
  if (!Array.isArray(answer.balance_infos)) throw unreadable("the balance");
  const each = (label: string, field: string) =>
    infos.flatMap((info) => amount(label, info[field], asText(info.currency) ?? ""));
  return {
    remaining: each("left on the account", "total_balance"),
    details: [
      ...each("of it granted", "granted_balance"),
      ...each("of it topped up", "topped_up_balance"),
    ],
    notes: answer.is_available === false ? ["The balance is too low for further requests."] : [],
  };
}

/** SiliconFlow's `/user/info`; its Chinese site uses CNY, the other one USD. */
export function decodeSiliconFlow(body: unknown, currency: string): Credits {
  const data = expectObject(asObject(body)?.data, "the balance");
  const remaining = amount("left on the account", data.totalBalance, currency);
  if (remaining.length === 0) throw unreadable("the balance");
  const status = asText(data.status);
  return {
    remaining,
    details: [
      ...amount("of it granted", data.balance, currency),
      ...amount("of it topped up", data.chargeBalance, currency),
    ],
    notes: status === undefined || status === "normal" ? [] : [`The account is ${status}.`],
  };
}

/** AI/ML API's `/billing/balance`, in its own credits. */
export function decodeAimlapi(body: unknown): Credits {
  const answer = expectObject(body, "the balance");
  const remaining = amount("left on the account", answer.balance, "credits");
  if (remaining.length === 0) throw unreadable("the balance");
  const explanation = asText(answer.statusExplanation);
  return {
    remaining,
    details: [],
    notes: [
      ...answer.lowBalance === true ? ["The balance is low."] : [],
      ...answer.status === "current" || explanation === undefined ? [] : [`${explanation}.`],
    ],
  };
}

/** One page of OpenAI's `/organization/costs`: the costs by currency, and the next page. */
export function decodeOpenAICosts(body: unknown): { spent: Map<string, number>; next?: string } {
  const page = expectObject(body, "the costs");
  if (!Array.isArray(page.data)) throw unreadable("the costs");
  const spent = new Map<string, number>();
  for (const bucket of asObjects(page.data)) {
    for (const result of asObjects(bucket.results)) {
      const cost = asObject(result.amount);
      const currency = (asText(cost?.currency) ?? "usd").toUpperCase();
      spent.set(currency, (spent.get(currency) ?? 0) + (toAmount(cost?.value) ?? 0));
    }
  }
  return { spent, next: page.has_more === true ? asText(page.next_page) : undefined };
}
