/**
 * The error of a request for which no endpoint was to be had for as long as it may wait.
 *
 * @module
 */
import { RateLimitError, UnavailableError } from "../errors.ts";
import type { Target } from "./choose.ts";

/** Why requests to `targets` go no further after `maxWait` seconds. */
export function unavailable(targets: readonly Target[], maxWait: number): UnavailableError {
  const { gate } = targets.find(({ gate }) => gate.lastError !== undefined) ?? targets[0];
  const { lastError } = gate;
  const many = targets.length > 1;
  const state = lastError instanceof RateLimitError
    ? `${many ? "all endpoints have" : "the endpoint has"} only asked to slow down`
    : `${many ? "all endpoints are" : "the endpoint is"} out of reach`;
  return new UnavailableError(
    `${state} for more than ${maxWait} s: ${lastError?.message ?? "no answer"}`,
    { cause: lastError, hint: "Try again later, or allow a longer --max-wait." },
  );
}
