/**
 * Creates the errors of refused calls: what refused them, what is needed, and when a retry can succeed.
 *
 * @module
 */
import type { RateStates } from "../access.ts";
import { GatewayError } from "../gateway_error.ts";
import type { Shortage } from "../ledger/ledger.ts";
import { formatNanos } from "../ledger/money.ts";
import { type BudgetPeriod, resetOf } from "../ledger/periods.ts";
import type { LimitScope, RateRefusal } from "./limit_scope.ts";

/** Seconds to wait for another call to end, which cannot be predicted. */
const RETRY_AFTER = 1;

/** Seconds after which a store that is down may be up again. */
const STORE_RETRY_AFTER = 5;

const PERIODS: Record<BudgetPeriod, string> = {
  day: "daily budget",
  month: "monthly budget",
  total: "total budget",
};

/** A scope in a message: `key "alice"`, `team "web"`, `the gateway`. */
function nameOf({ kind, name }: LimitScope): string {
  if (kind === "all") return "the gateway";
  return name === "" ? "the key" : `${kind} ${JSON.stringify(name)}`;
}

/** 401: who calls is not known. */
export function unauthenticated(message: string, hint?: string): GatewayError {
  return new GatewayError(401, message, { reason: "invalid_api_key", hint });
}

/** 402: the budget cannot pay for the call, whatever other calls turn out to cost. */
export function budgetExceeded(
  scope: LimitScope,
  { period, limit, spent, reserved }: Shortage,
  needed: number,
  day: string,
  now: number,
  isLimitable = false,
): GatewayError {
  const reset = resetOf(period, day);
  const others = reserved > 0 ? `, ${formatNanos(reserved)} reserved by other requests` : "";
  const when = reset === undefined
    ? "It does not reset."
    : `It resets at ${new Date(reset).toISOString().slice(0, 16).replace("T", " ")} UTC.`;
  return new GatewayError(
    402,
    `the ${PERIODS[period]} of ${nameOf(scope)} is ${formatNanos(limit)}: ${
      formatNanos(spent)
    } spent` +
      `${others}, and this request ${isLimitable ? "needs" : "may cost"} ${formatNanos(needed)}${
        isLimitable ? " for a short answer" : ""
      }. ${when}`,
    {
      reason: "budget_exceeded",
      retryAfter: reset && Math.ceil((reset - now) / 1000),
      hint: isLimitable
        ? "A shorter prompt needs less."
        : "A lower maximum of output tokens (max_tokens) lowers the amount that a request needs.",
    },
  );
}

/** 429: other calls hold the rest of the budget, or wait for it, and did not end in time. */
export function budgetReserved(
  scope: LimitScope,
  shortage: Shortage | undefined,
  needed: number,
): GatewayError {
  const details = { reason: "budget_reserved", retryAfter: RETRY_AFTER };
  if (shortage === undefined) {
    const message = `other requests wait for the budget of ${nameOf(scope)}`;
    return new GatewayError(429, message, details);
  }
  const { period, limit, spent, reserved } = shortage;
  return new GatewayError(
    429,
    `requests in flight have reserved the rest of the ${PERIODS[period]} of ${nameOf(scope)}, ` +
      `which is ${formatNanos(limit)}: ${formatNanos(spent)} spent, ${
        formatNanos(reserved)
      } reserved, ` +
      `and this request may cost ${formatNanos(needed)}`,
    details,
  );
}

/** 503: limits that several gateways share cannot be checked. */
export function ratesUnavailable(): GatewayError {
  return new GatewayError(
    503,
    "the gateway cannot check rate limits: Redis, through which gateways share them, is down",
    {
      reason: "store_unavailable",
      retryAfter: STORE_RETRY_AFTER,
      hint:
        "Try again later. The operator can choose what happens then with --on-store-loss rates=divide.",
    },
  );
}

/** 429: a rate, or the number of concurrent calls. */
export function rateExceeded(
  { scope, limit, delay }: RateRefusal,
  tokens: number,
  limits: RateStates,
): GatewayError {
  const details = {
    reason: "rate_limit_exceeded",
    limits,
    retryAfter: delay === undefined ? RETRY_AFTER : delay === Infinity ? undefined : delay / 1000,
  };
  const { rpm, tpm, concurrent } = scope.limits;
  const name = nameOf(scope);
  if (limit === "concurrent") {
    const message = `${name} allows ${concurrent} concurrent requests, and they are in flight`;
    return new GatewayError(429, message, details);
  }
  const again = delay === Infinity ? "" : `; try again in ${formatDelay(delay ?? 0)}`;
  if (limit === "rpm") {
    const rate = rpm === 1 ? "one request" : `${rpm} requests`;
    return new GatewayError(429, `${name} allows ${rate} per minute${again}`, details);
  }
  const message = `${name} allows ${tpm} tokens per minute, and this request needs about ${tokens}`;
  return new GatewayError(429, message + again, details);
}

function formatDelay(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.ceil(ms / 1000)} s`;
}

/** 400: a budget cannot be enforced without a price. */
export function unpriced(scope: LimitScope, route: string): GatewayError {
  return new GatewayError(
    400,
    `${JSON.stringify(route)} has no known price, so the budget of ${
      nameOf(scope)
    } cannot be enforced`,
    {
      reason: "unknown_price",
      param: "model",
      hint: "The operator can add its price to the configuration, or allow models without one " +
        "(allow_unpriced).",
    },
  );
}
