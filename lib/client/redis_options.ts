/**
 * The option `redis` of clients: what several processes share.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { parseRedisAddress, type RedisAddress } from "../redis/redis_address.ts";
import {
  BUDGET_ON_STORE_LOSS,
  DEFAULT_STORE_LOSS,
  RATES_ON_STORE_LOSS,
  type RedisSettings,
  type StoreLossPolicy,
} from "../redis/redis_settings.ts";

/**
 * A Redis or Valkey server through which processes share the limits of endpoints and a budget.
 *
 * Processes share the limits of an endpoint if they have the same base URL, key and model, and each has such a limit;
 * the lowest one counts.
 */
export interface RedisOptions {
  /** `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` for an encrypted connection. */
  url: string;
  /**
   * What all keys begin with; processes with different prefixes share nothing.
   *
   * @default "flexllm"
   */
  prefix?: string;
  /**
   * The name of a budget that processes share: they spend the `limit` of their `costTracker` together. The server
   * remembers what was spent for 30 days after the last use, so use a new name for a new budget.
   *
   * @default each process has its own budget
   */
  budget?: string;
  /** What happens while the server cannot be used. */
  onStoreLoss?: StoreLossPolicy;
  /**
   * Whether the first call fails if the server cannot be reached. Otherwise the client starts as if the server had
   * just been lost, and uses a tenth of each rate limit with `rates: "divide"`, as it does not know how many
   * processes there are. A refused login or an unknown host is an error in any case.
   *
   * @default false
   */
  isRequired?: boolean;
  /**
   * Called when the server becomes unusable, and when it can be used again.
   *
   * @default nothing is reported
   */
  onWarning?: (message: string) => void;
}

/** The options with their defaults. */
export interface SharedSettings extends RedisSettings {
  budget: string | undefined;
  isRequired: boolean;
  onWarning: ((message: string) => void) | undefined;
}

function expectPolicy(policy: StoreLossPolicy): void {
  const { rates, budget } = policy;
  if (rates !== undefined && !RATES_ON_STORE_LOSS.includes(rates)) {
    throw new ConfigurationError(
      `redis.onStoreLoss.rates: expected one of ${RATES_ON_STORE_LOSS.join(", ")}, got ${rates}`,
    );
  }
  if (budget !== undefined && !BUDGET_ON_STORE_LOSS.includes(budget)) {
    throw new ConfigurationError(
      `redis.onStoreLoss.budget: expected one of ${BUDGET_ON_STORE_LOSS.join(", ")}, got ${budget}`,
    );
  }
}

/**
 * Checks the option `redis` and fills in its defaults.
 *
 * @throws {ConfigurationError} if a value is invalid
 */
export function sharedSettings(
  redis: string | RedisOptions | undefined,
): SharedSettings | undefined {
  if (redis === undefined) return undefined;
  const options = typeof redis === "string" ? { url: redis } : redis;
  const { url, prefix, onStoreLoss = {}, budget, isRequired = false, onWarning } = options;
  if (typeof url !== "string") {
    throw new ConfigurationError(`redis.url: expected a URL, got ${url}`);
  }
  if (budget !== undefined && (typeof budget !== "string" || budget.trim() === "")) {
    throw new ConfigurationError(`redis.budget: expected a name, got ${JSON.stringify(budget)}`);
  }
  expectPolicy(onStoreLoss);
  return {
    address: parseRedisAddress(url, "redis", prefix),
    onStoreLoss: {
      rates: onStoreLoss.rates ?? DEFAULT_STORE_LOSS.rates,
      budget: onStoreLoss.budget ?? DEFAULT_STORE_LOSS.budget,
    },
    budget,
    isRequired,
    onWarning,
  };
}

/** The URL of an address, with its user and password. */
function urlOf({ tls, username, password, host, port, database }: RedisAddress): string {
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
  const login = username === undefined && password === undefined
    ? ""
    : `${encodeURIComponent(username ?? "")}${secret}@`;
  const shownHost = host.includes(":") ? `[${host}]` : host;
  return `${tls ? "rediss" : "redis"}://${login}${shownHost}:${port}${
    database === 0 ? "" : `/${database}`
  }`;
}

/** The option for settings of the command line. */
export function redisOptions(
  { address, onStoreLoss }: RedisSettings,
  more: Pick<RedisOptions, "budget" | "isRequired" | "onWarning"> = {},
): RedisOptions {
  return { url: urlOf(address), prefix: address.prefix, onStoreLoss, ...more };
}
