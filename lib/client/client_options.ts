/**
 * The options of a client, their defaults and their checks.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { EndpointOptions } from "./endpoint.ts";

/** The options of an {@link LLMClient}. Times are in seconds. */
export interface ClientOptions extends EndpointOptions {
  /** The model to ask when a call names none. */
  model?: string;
  /** The most requests in flight; default 10. */
  concurrencyLimit?: number;
  /** The most requests begun in any second; default no limit. */
  maxQps?: number;
  /** How often a request that failed for a passing reason is sent again; default 3. */
  retryTimes?: number;
  /** Seconds before the first retry, doubled for each further one, with jitter; default 1. */
  retryDelay?: number;
  /**
   * Seconds one try may take; default 120, and 600 where thinking is asked for. See
   * {@link ChatOptions.timeout}.
   */
  timeout?: number;
  /** Cancels everything this client does. */
  signal?: AbortSignal;
}

/** The options with the defaults in the places of those left out. */
export interface ClientSettings {
  model: string | undefined;
  concurrencyLimit: number;
  maxQps: number | undefined;
  retryTimes: number;
  retryDelay: number;
  timeout: number;
  /** The same, for calls that ask for thinking. */
  thinkingTimeout: number;
  signal: AbortSignal | undefined;
}

function expect(good: boolean, name: string, expected: string, value: unknown): void {
  if (!good) throw new ConfigurationError(`${name}: expected ${expected}, got ${value}`);
}

/**
 * Checks a time limit.
 *
 * @throws {ConfigurationError} when it is out of the range of a timer
 */
export function expectTimeout(timeout: number): void {
  expect(
    timeout > 0 && timeout <= MAX_SECONDS,
    "timeout",
    `seconds, more than 0 and at most ${MAX_SECONDS}`,
    timeout,
  );
}

/** What a timer can hold: 2^31 - 1 milliseconds, almost 25 days. */
const MAX_SECONDS = 2_147_483;

/**
 * Fills in the defaults.
 *
 * @throws {ConfigurationError} when a value is out of its range
 */
export function withDefaults(options: ClientOptions): ClientSettings {
  const { model, maxQps, signal } = options;
  const { concurrencyLimit = 10, retryTimes = 3, retryDelay = 1, timeout = 120 } = options;
  const { isSafeInteger, isFinite } = Number;
  expect(
    isSafeInteger(concurrencyLimit) && concurrencyLimit >= 1,
    "concurrencyLimit",
    "a whole number of at least 1",
    concurrencyLimit,
  );
  expect(
    isSafeInteger(retryTimes) && retryTimes >= 0,
    "retryTimes",
    "a whole number of at least 0",
    retryTimes,
  );
  expect(
    retryDelay >= 0 && retryDelay <= MAX_SECONDS,
    "retryDelay",
    `seconds, 0 to ${MAX_SECONDS}`,
    retryDelay,
  );
  expectTimeout(timeout);
  expect(
    maxQps === undefined || (isFinite(maxQps) && maxQps > 0),
    "maxQps",
    "a number above 0",
    maxQps,
  );
  const thinkingTimeout = options.timeout ?? 600;
  return {
    model,
    concurrencyLimit,
    maxQps,
    retryTimes,
    retryDelay,
    timeout,
    thinkingTimeout,
    signal,
  };
}
