/**
 * The options of clients and pools, their defaults and their checks.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import { DEFAULTS } from "./defaults.ts";
import { LOAD_BALANCES, type LoadBalance } from "../scheduling/load_balancer.ts";
import { type EndpointLimitOptions, TRAVEL_SLACK } from "../scheduling/endpoint_limits.ts";
import { RateLimiter } from "../scheduling/rate_limiter.ts";
import { TokenLimiter } from "../scheduling/token_limiter.ts";
import type { CacheOptions } from "../cache/options.ts";
import type { PriceRow } from "../pricing/price.ts";
import type { ServerOptions } from "../services/connect.ts";
import type { AttachmentOptions } from "../transport/load_file.ts";

/** A server, and what its models cost. */
export interface EndpointOptions extends ServerOptions {
  /** Prices of models, which take precedence over the price list; rows for other servers are ignored. */
  prices?: readonly PriceRow[];
}

/** The limits of one endpoint. */
export interface LimitOptions {
  /** The most requests in flight; default 10. */
  concurrencyLimit?: number;
  /** The most requests begun in any second; default no limit. */
  maxQps?: number;
  /** The most tokens, read and written, in any minute; default no limit. */
  maxTpm?: number;
}

/** What holds for all requests of a client. Times are in seconds. */
export interface RequestOptions {
  /**
   * Whether to find the server's own limits: begins with 20 requests at once at most, doubles while
   * that goes well, and goes slower when the server says that it is too much. Never more than the
   * other limits allow. Default `false`.
   */
  adaptive?: boolean;
  /** How often a request that failed for a passing reason is sent again; default 3. */
  retryTimes?: number;
  /** Seconds before the first retry, doubled for each further one, with jitter; default 1. */
  retryDelay?: number;
  /**
   * The longest that a request waits for rate limits, and in a batch for an endpoint that has gone
   * away; default 600.
   */
  maxWait?: number;
  /**
   * Seconds one try may take; default 120, and 600 where thinking is asked for. See
   * {@link ChatOptions.timeout}.
   */
  timeout?: number;
  /** Counts what answers cost, and keeps to a limit. */
  costTracker?: CostTracker;
  /** Keeps answers, so that the same is never paid for twice; default `false`. */
  cache?: boolean | CacheOptions;
  /** How images, files and audio that messages name by a URL are downloaded. */
  attachments?: AttachmentOptions;
  /** Cancels everything this client does. */
  signal?: AbortSignal;
}

/** The options of an {@link LLMClient}. */
export interface ClientOptions extends EndpointOptions, LimitOptions, RequestOptions {
  /** The model to ask when a call names none. */
  model?: string;
}

/** One endpoint of an {@link LLMClientPool}. */
export interface PoolEndpoint extends EndpointOptions, LimitOptions {
  /** The model to ask there when a call names none. */
  model?: string;
  /** The share of the requests under `weighted`; default 1. */
  weight?: number;
}

/** The options of an {@link LLMClientPool}. Times are in seconds. */
export interface PoolOptions extends RequestOptions {
  /** The endpoints, at least one; two of them may be on one server. */
  endpoints: readonly PoolEndpoint[];
  /** The most requests begun in any second, on all endpoints together; default no limit. */
  maxQps?: number;
  /** The most tokens in any minute, on all endpoints together; default no limit. */
  maxTpm?: number;
  /** How requests are shared out; default `round_robin`. */
  loadBalance?: LoadBalance;
  /** Whether a request that an endpoint failed goes to another one; default `true`. */
  fallback?: boolean;
  /**
   * Failures in a row after which an endpoint counts as away. By default as many as it has requests in
   * flight, from 3 up to 10; it is then tried again after a second, two, four, up to ten.
   */
  failureThreshold?: number;
  /** Seconds until an endpoint that counts as away is tried again, with one request. */
  recoveryTime?: number;
  /** A number from 0 up to 1, for the choice of endpoints and the jitter; default `Math.random`. */
  random?: () => number;
}

/** The options with the defaults in the places of those left out. */
interface RequestSettings {
  adaptive: boolean;
  retryTimes: number;
  retryDelay: number;
  maxWait: number;
  timeout: number;
  /** The same, for calls that ask for thinking. */
  thinkingTimeout: number;
  costTracker: CostTracker | undefined;
  cache: CacheOptions | undefined;
  attachments: AttachmentOptions | undefined;
  signal: AbortSignal | undefined;
  random: () => number;
}

/** The settings of a client. */
export type ClientSettings = RequestSettings & EndpointLimitOptions;

/** The settings of a pool. */
export interface PoolSettings extends RequestSettings {
  endpoints: { options: PoolEndpoint; gate: EndpointLimitOptions }[];
  loadBalance: LoadBalance;
  fallback: boolean;
}

function expect(good: boolean, name: string, expected: string, value: unknown): void {
  if (!good) throw new ConfigurationError(`${name}: expected ${expected}, got ${value}`);
}

function expectWhole(value: number | undefined, name: string, least: number): void {
  const good = value === undefined || (Number.isSafeInteger(value) && value >= least);
  expect(good, name, `a whole number of at least ${least}`, value);
}

function expectPositive(value: number | undefined, name: string): void {
  const good = value === undefined || (Number.isFinite(value) && value > 0);
  expect(good, name, "a number above 0", value);
}

function expectSeconds(value: number, name: string): void {
  expect(value >= 0 && value <= MAX_SECONDS, name, `seconds, 0 to ${MAX_SECONDS}`, value);
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

function requestSettings(options: RequestOptions): RequestSettings {
  const {
    retryTimes = DEFAULTS.retryTimes,
    retryDelay = DEFAULTS.retryDelay,
    timeout = DEFAULTS.timeout,
    maxWait = DEFAULTS.maxWait,
  } = options;
  expectWhole(retryTimes, "retryTimes", 0);
  expectSeconds(retryDelay, "retryDelay");
  expectSeconds(maxWait, "maxWait");
  expectTimeout(timeout);
  return {
    adaptive: options.adaptive ?? false,
    retryTimes,
    retryDelay,
    maxWait,
    timeout,
    thinkingTimeout: options.timeout ?? DEFAULTS.thinkingTimeout,
    costTracker: options.costTracker,
    cache: options.cache === true ? {} : options.cache || undefined,
    attachments: options.attachments,
    signal: options.signal,
    random: Math.random,
  };
}

function gateOptions(
  { concurrencyLimit = DEFAULTS.concurrency, maxQps, maxTpm }: LimitOptions,
  common: Pick<
    EndpointLimitOptions,
    "adaptive" | "failureThreshold" | "recoveryTime" | "random" | "shared"
  >,
): EndpointLimitOptions {
  expectWhole(concurrencyLimit, "concurrencyLimit", 1);
  expectPositive(maxQps, "maxQps");
  expectPositive(maxTpm, "maxTpm");
  const { adaptive, failureThreshold, recoveryTime, random, shared } = common;
  return {
    shared,
    concurrency: concurrencyLimit,
    maxQps,
    maxTpm,
    adaptive,
    failureThreshold,
    recoveryTime,
    random,
  };
}

/**
 * Fills in the defaults of a client.
 *
 * @throws {ConfigurationError} when a value is out of its range
 */
export function withDefaults(options: ClientOptions): ClientSettings {
  const settings = requestSettings(options);
  const shared = { ...settings, failureThreshold: undefined, recoveryTime: undefined };
  return { ...settings, ...gateOptions(options, shared) };
}

/**
 * Fills in the defaults of a pool.
 *
 * @throws {ConfigurationError} when a value is out of its range; names the endpoint
 */
export function withPoolDefaults(options: PoolOptions): PoolSettings {
  const { endpoints, loadBalance = "round_robin", fallback = true } = options;
  const { failureThreshold, recoveryTime, random = Math.random } = options;
  expect(
    Array.isArray(endpoints) && endpoints.length > 0,
    "endpoints",
    "a list of at least one endpoint",
    JSON.stringify(endpoints),
  );
  const known = LOAD_BALANCES.includes(loadBalance);
  expect(known, "loadBalance", `one of ${LOAD_BALANCES.join(", ")}`, loadBalance);
  expectWhole(failureThreshold, "failureThreshold", 1);
  if (recoveryTime !== undefined) expectSeconds(recoveryTime, "recoveryTime");
  const { maxQps, maxTpm } = options;
  expectPositive(maxQps, "maxQps");
  expectPositive(maxTpm, "maxTpm");
  const settings = { ...requestSettings(options), random };
  const common = {
    ...settings,
    shared: {
      qps: maxQps === undefined ? undefined : new RateLimiter(maxQps, TRAVEL_SLACK),
      tpm: maxTpm === undefined ? undefined : new TokenLimiter(maxTpm),
    },
    failureThreshold,
    // A pool that was told when an endpoint is away takes the time of the Python tool.
    recoveryTime: recoveryTime ?? (failureThreshold === undefined ? undefined : 60),
  };
  return {
    ...settings,
    loadBalance,
    fallback,
    endpoints: endpoints.map((endpoint, i) => {
      try {
        expectPositive(endpoint.weight, "weight");
        return { options: endpoint, gate: gateOptions(endpoint, common) };
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        throw new ConfigurationError(`endpoints[${i}]: ${error.message}`);
      }
    }),
  };
}
