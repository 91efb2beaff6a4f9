/**
 * Checks the options of clients and pools and fills in the defaults.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { CachedCallsOptions } from "./cached_calls.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import { type EndpointLimitOptions, TRAVEL_SLACK } from "../scheduling/endpoint_limits.ts";
import { LOAD_BALANCES, type LoadBalance } from "../scheduling/load_balancer.ts";
import { RateLimiter } from "../scheduling/rate_limiter.ts";
import { TokenLimiter } from "../scheduling/token_limiter.ts";
import type { AttachmentOptions } from "../transport/load_file.ts";
import type {
  ClientOptions,
  LimitOptions,
  PoolEndpoint,
  PoolOptions,
  RequestOptions,
} from "./client_options.ts";
import { DEFAULTS } from "./defaults.ts";
import { type SharedSettings, sharedSettings } from "./redis_options.ts";

/** One endpoint of a client, and its limits. */
export interface EndpointSettings {
  options: PoolEndpoint;
  limits: EndpointLimitOptions & { maxInFlight: number | undefined };
}

/** The options of a client or pool with all defaults filled in. */
export interface ClientSettings {
  endpoints: EndpointSettings[];
  loadBalance: LoadBalance;
  fallback: boolean;
  adaptive: boolean;
  retryTimes: number;
  retryDelay: number;
  maxWait: number;
  timeout: number;
  /** The timeout of calls with `thinking`: thinking models are silent for longer. */
  thinkingTimeout: number;
  costTracker: CostTracker | undefined;
  cache: CachedCallsOptions | undefined;
  /** What is shared with other processes. */
  redis: SharedSettings | undefined;
  /** The limits of all endpoints together. */
  total: { maxQps: number | undefined; maxTpm: number | undefined };
  attachments: AttachmentOptions | undefined;
  signal: AbortSignal | undefined;
  random: () => number;
}

/** The maximum of a timer: 2^31 - 1 milliseconds, almost 25 days. */
const MAX_TIMER = 2_147_483;
const DAY = 86_400;

function expect(
  good: boolean,
  name: string,
  expected: string,
  value: unknown,
  hint?: string,
): void {
  if (!good) throw new ConfigurationError(`${name}: expected ${expected}, got ${value}`, { hint });
}

function expectInteger(value: number | undefined, name: string, minimum: number): void {
  const good = value === undefined || (Number.isSafeInteger(value) && value >= minimum);
  expect(good, name, `an integer ≥ ${minimum}`, value);
}

function expectPositive(value: number | undefined, name: string): void {
  const good = value === undefined || (Number.isFinite(value) && value > 0);
  expect(good, name, "a number above 0", value);
}

function expectSeconds(value: number, name: string, maximum: number): void {
  const hint = value > maximum ? MILLISECONDS_HINT : undefined;
  expect(value >= 0 && value <= maximum, name, `seconds, 0 to ${maximum}`, value, hint);
}

const MILLISECONDS_HINT = "Times are in seconds, not milliseconds.";

/**
 * Checks a timeout in seconds.
 *
 * @throws {ConfigurationError} if it is not above 0, or above a day, which is usually milliseconds
 */
export function expectTimeout(timeout: number): void {
  const hint = timeout > DAY ? MILLISECONDS_HINT : undefined;
  const good = timeout > 0 && timeout <= DAY;
  expect(good, "timeout", `seconds, above 0 and up to ${DAY} (a day)`, timeout, hint);
}

function requestSettings(options: RequestOptions) {
  const redis = sharedSettings(options.redis);
  const cache = options.cache === true ? {} : options.cache || undefined;
  const {
    retryTimes = DEFAULTS.retryTimes,
    retryDelay = DEFAULTS.retryDelay,
    timeout = DEFAULTS.timeout,
    maxWait = DEFAULTS.maxWait,
  } = options;
  expectInteger(retryTimes, "retryTimes", 0);
  expectSeconds(retryDelay, "retryDelay", DAY);
  expectSeconds(maxWait, "maxWait", MAX_TIMER);
  expectTimeout(timeout);
  return {
    adaptive: options.adaptive ?? false,
    retryTimes,
    retryDelay,
    maxWait,
    timeout,
    thinkingTimeout: options.timeout ?? DEFAULTS.thinkingTimeout,
    costTracker: options.costTracker,
    cache: cache && redis && { redis: redis.address, ...cache } || cache,
    redis,
    total: { maxQps: undefined, maxTpm: undefined },
    attachments: options.attachments,
    signal: options.signal,
    random: Math.random,
  };
}

/** The limits that all endpoints of a client have in common. */
type CommonLimits = Pick<
  EndpointLimitOptions,
  "adaptive" | "failureThreshold" | "recoveryTime" | "random" | "shared"
>;

function endpointLimits(
  options: LimitOptions,
  common: CommonLimits,
): EndpointSettings["limits"] {
  const { concurrencyLimit = DEFAULTS.concurrency, initialConcurrency, maxQps, maxTpm } = options;
  const { maxInFlight } = options;
  expectInteger(maxInFlight, "maxInFlight", 1);
  expectInteger(concurrencyLimit, "concurrencyLimit", 1);
  expectInteger(initialConcurrency, "initialConcurrency", 1);
  expectPositive(maxQps, "maxQps");
  expectPositive(maxTpm, "maxTpm");
  const { adaptive, failureThreshold, recoveryTime, random, shared } = common;
  return {
    shared,
    // Without Redis, there are no other processes.
    concurrency: Math.min(concurrencyLimit, maxInFlight ?? Infinity),
    initialConcurrency,
    maxQps,
    maxTpm,
    maxInFlight,
    adaptive,
    failureThreshold,
    recoveryTime,
    random,
  };
}

/**
 * The settings of a client with one endpoint.
 *
 * @throws {ConfigurationError} if a value is out of range
 */
export function clientSettings(options: ClientOptions): ClientSettings {
  const settings = requestSettings(options);
  const common = { ...settings, failureThreshold: undefined, recoveryTime: undefined };
  return {
    ...settings,
    loadBalance: "fallback",
    fallback: false,
    endpoints: [{ options, limits: endpointLimits(options, common) }],
  };
}

/**
 * The settings of a client with several endpoints.
 *
 * @throws {ConfigurationError} if a value is out of range; names the endpoint
 */
export function poolSettings(options: PoolOptions): ClientSettings {
  const { endpoints, loadBalance = "round_robin", fallback = true } = options;
  const { failureThreshold, recoveryTime, random = Math.random } = options;
  const hasEndpoints = Array.isArray(endpoints) && endpoints.length > 0;
  expect(hasEndpoints, "endpoints", "at least one endpoint", JSON.stringify(endpoints));
  const isKnown = LOAD_BALANCES.includes(loadBalance);
  expect(isKnown, "loadBalance", `one of ${LOAD_BALANCES.join(", ")}`, loadBalance);
  expectInteger(failureThreshold, "failureThreshold", 1);
  if (recoveryTime !== undefined) expectSeconds(recoveryTime, "recoveryTime", DAY);
  const { maxQps, maxTpm } = options;
  expectPositive(maxQps, "maxQps");
  expectPositive(maxTpm, "maxTpm");
  const settings = { ...requestSettings(options), random };
  const common: CommonLimits = {
    ...settings,
    shared: {
      qps: maxQps === undefined ? undefined : new RateLimiter(maxQps, TRAVEL_SLACK),
      tpm: maxTpm === undefined ? undefined : new TokenLimiter(maxTpm),
    },
    failureThreshold,
    // With an explicit threshold, as in the Python tool.
    recoveryTime: recoveryTime ?? (failureThreshold === undefined ? undefined : 60),
  };
  return {
    ...settings,
    total: { maxQps, maxTpm },
    loadBalance,
    fallback,
    endpoints: endpoints.map((endpoint, i) => endpointSettings(endpoint, common, i)),
  };
}

function endpointSettings(options: PoolEndpoint, common: CommonLimits, i: number) {
  try {
    expectPositive(options.weight, "weight");
    return { options, limits: endpointLimits(options, common) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(`endpoints[${i}]: ${error.message}`, { hint: error.hint });
  }
}
