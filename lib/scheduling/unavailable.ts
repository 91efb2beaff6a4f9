/**
 * Creates the error for a request for which no endpoint became available within `maxWait`.
 *
 * @module
 */
import { type FlexLLMError, HttpError, RateLimitError, UnavailableError } from "../errors.ts";
import type { Target } from "./load_balancer.ts";

/** Explains why none of `targets` became available within `maxWait` seconds. */
export function unavailable(targets: readonly Target[], maxWait: number): UnavailableError {
  const { limits } = targets.find(({ limits }) => limits.lastError !== undefined) ?? targets[0];
  const { lastError } = limits;
  return new UnavailableError(
    `${stateOf(lastError, targets.length > 1, maxWait)}: ${lastError?.message ?? "no answer"}`,
    { cause: lastError, hint: "Try again later, or allow a longer --max-wait." },
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
