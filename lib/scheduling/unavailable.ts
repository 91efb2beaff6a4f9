/**
 * The error of a request for which no endpoint was to be had for as long as it may wait.
 *
 * @module
 */
import { type FlexLLMError, HttpError, RateLimitError, UnavailableError } from "../errors.ts";
import type { Target } from "./load_balancer.ts";

/** Why requests to `targets` go no further after `maxWait` seconds. */
export function unavailable(targets: readonly Target[], maxWait: number): UnavailableError {
  const { gate } = targets.find(({ gate }) => gate.lastError !== undefined) ?? targets[0];
  const { lastError } = gate;
  return new UnavailableError(
    `${stateOf(lastError, targets.length > 1, maxWait)}: ${lastError?.message ?? "no answer"}`,
    { cause: lastError, hint: "Try again later, or allow a longer --max-wait." },
  );
}

function stateOf(error: FlexLLMError | undefined, many: boolean, maxWait: number): string {
  const asked = error instanceof HttpError ? error.retryAfter ?? 0 : 0;
  if (asked > maxWait) {
    const who = many ? "an endpoint asks" : "the endpoint asks";
    return `${who} to wait ${Math.ceil(asked)} s, more than the ${maxWait} s that are waited`;
  }
  if (error instanceof RateLimitError) {
    const who = many ? "all endpoints have" : "the endpoint has";
    return `${who} only asked to slow down for ${maxWait} s`;
  }
  return `${
    many ? "all endpoints are" : "the endpoint is"
  } out of reach for more than ${maxWait} s`;
}
