/**
 * Creates the error for a request for which no endpoint became available within `maxWait`.
 *
 * @module
 */
import { type FlexLLMError, HttpError, RateLimitError, UnavailableError } from "../errors.ts";
import type { Target } from "./load_balancer.ts";

/** The failed endpoint that is tried again first. */
function firstToReturn(targets: readonly Target[]): Target {
  const failed = targets.filter(({ limits }) => limits.lastError !== undefined);
  const [first = targets[0], ...others] = failed;
  return others.reduce((a, b) => b.limits.retryAt < a.limits.retryAt ? b : a, first);
}

/** Explains why none of `targets` became available within `maxWait` seconds, at the time `now`. */
export function unavailable(
  targets: readonly Target[],
  maxWait: number,
  now: number,
): UnavailableError {
  const { lastError, retryAt } = firstToReturn(targets).limits;
  const wait = (retryAt - now) / 1000;
  return new UnavailableError(
    `${stateOf(lastError, targets.length > 1, maxWait)}: ${lastError?.message ?? "no answer"}`,
    {
      cause: lastError,
      hint: "Try again later, or allow a longer --max-wait.",
      retryAfter: wait > 0 && wait < Infinity ? Math.ceil(wait) : undefined,
    },
  );
}

function stateOf(error: FlexLLMError | undefined, isPool: boolean, maxWait: number): string {
  const subject = isPool ? "all endpoints" : "the endpoint";
  const retryAfter = error instanceof HttpError ? error.retryAfter ?? 0 : 0;
  if (retryAfter > maxWait) {
    const who = isPool ? "an endpoint asks" : "the endpoint asks";
    return `${who} to wait ${
      Math.ceil(retryAfter)
    } s, longer than the maximum wait of ${maxWait} s`;
  }
  if (error instanceof RateLimitError) {
    return `${subject} returned only rate-limit errors for ${maxWait} s`;
  }
  return `${subject} ${isPool ? "have" : "has"} been unreachable for more than ${maxWait} s`;
}
