/**
 * The options of clients and pools. Their defaults and checks are in `client_settings.ts`.
 *
 * @module
 */
import type { AttemptFacts, CallContent, CallFacts } from "../chat/call_facts.ts";
import type { CostTracker } from "../pricing/cost_tracker.ts";
import type { LoadBalance } from "../scheduling/load_balancer.ts";
import type { CacheOptions } from "../cache/options.ts";
import type { PriceRow } from "../pricing/price.ts";
import type { ServerOptions } from "../services/connect.ts";
import type { AttachmentOptions } from "../transport/load_file.ts";
import type { RedisOptions } from "./redis_options.ts";

/** A server, and the prices of its models. */
export interface EndpointOptions extends ServerOptions {
  /** Prices that override the price list. Those for other servers are ignored. */
  prices?: readonly PriceRow[];
}

/** The limits of one endpoint. */
export interface LimitOptions {
  /**
   * Maximum requests in flight.
   *
   * @default 10
   */
  concurrencyLimit?: number;
  /**
   * Maximum requests in flight at first, under `adaptive`. A low number protects the server from a batch that
   * starts all at once; for requests of people, who wait, use `concurrencyLimit`.
   *
   * @default 20, or an eighth of `concurrencyLimit` if that is more
   */
  initialConcurrency?: number;
  /**
   * Maximum requests started in any second.
   *
   * @default no limit
   */
  maxQps?: number;
  /**
   * Maximum tokens, input and output, in any minute.
   *
   * @default no limit
   */
  maxTpm?: number;
  /**
   * Maximum requests in flight over all processes that share a server through `redis`; without it, of this client.
   * Each process also keeps to its own `concurrencyLimit`.
   *
   * @default no limit
   */
  maxInFlight?: number;
}

/** Options that apply to all requests of a client. Times are in seconds. */
export interface RequestOptions {
  /**
   * Whether to find the server's own limits. Starts with few concurrent requests (`initialConcurrency`), allows
   * one more with each answer while the server keeps up, and slows down on rate limits and overload. Never
   * exceeds the other limits.
   *
   * @default false
   */
  adaptive?: boolean;
  /**
   * Maximum retries after transient failures.
   *
   * @default 3
   */
  retryTimes?: number;
  /**
   * Seconds before the first retry; doubles with each retry, with jitter. Up to a day.
   *
   * @default 1
   */
  retryDelay?: number;
  /**
   * Maximum seconds that a request waits for rate limits and, in a batch, for an endpoint that is down.
   *
   * @default 600
   */
  maxWait?: number;
  /**
   * Timeout per attempt, in seconds, up to a day; see {@link ChatOptions.timeout}.
   *
   * @default 120, or 600 with `thinking`
   */
  timeout?: number;
  /** Counts costs and enforces a budget. Several clients can share one tracker. */
  costTracker?: CostTracker;
  /**
   * The response cache: repeated requests are answered from it for free.
   *
   * @default false
   */
  cache?: boolean | CacheOptions;
  /**
   * A Redis or Valkey server, or its URL: all processes that name it keep to the limits `maxQps`, `maxTpm` and
   * `maxInFlight` together, and to one budget if it has a name. The client connects with its first request.
   *
   * @default nothing is shared
   */
  redis?: string | RedisOptions;
  /** How to load images, files and audio that messages refer to by path or URL. */
  attachments?: AttachmentOptions;
  /** Aborts all requests of the client. */
  signal?: AbortSignal;
  /**
   * Called when a call has ended, before its promise settles: with its facts, and with what it sent and received.
   * For a batch, once per record; calls that a provider's batch API makes are not reported. Keep it fast, since
   * every call waits for it. Errors that it throws are ignored.
   */
  onCall?: (facts: CallFacts, content: CallContent) => void;
  /** Called when an attempt of a call has ended: one request, and its answer or failure. */
  onAttempt?: (facts: AttemptFacts) => void;
}

/** The options of an {@link LLMClient}. Times are in seconds. */
export interface ClientOptions extends EndpointOptions, LimitOptions, RequestOptions {
  /** The model for calls that don't name one. */
  model?: string;
}

/** One endpoint of an {@link LLMClientPool}. */
export interface PoolEndpoint extends EndpointOptions, LimitOptions {
  /**
   * A name for the endpoint, by which a gateway's routes refer to it.
   *
   * @default its `model`
   */
  name?: string;
  /** This endpoint's model for calls that don't name one. */
  model?: string;
  /**
   * The endpoint's share of the requests under `weighted`.
   *
   * @default 1
   */
  weight?: number;
}

/** The options of an {@link LLMClientPool}. Times are in seconds. */
export interface PoolOptions extends RequestOptions {
  /** The endpoints, at least one. Several may be on the same server. */
  endpoints: readonly PoolEndpoint[];
  /**
   * Maximum requests started in any second, over all endpoints.
   *
   * @default no limit
   */
  maxQps?: number;
  /**
   * Maximum tokens in any minute, over all endpoints.
   *
   * @default no limit
   */
  maxTpm?: number;
  /**
   * How requests are distributed.
   *
   * @default "round_robin"
   */
  loadBalance?: LoadBalance;
  /**
   * Whether a request that failed on one endpoint is retried on another.
   *
   * @default true
   */
  fallback?: boolean;
  /**
   * Consecutive failures after which an endpoint counts as down.
   *
   * @default its `concurrencyLimit`, but at least 3 and at most 10
   */
  failureThreshold?: number;
  /**
   * Seconds until an endpoint that is down gets a single request that tests whether it has recovered. Up to
   * a day.
   *
   * @default 60 if `failureThreshold` is set, else 1, doubling up to 10
   */
  recoveryTime?: number;
  /**
   * Returns a random number from 0 up to 1, for load balancing and jitter.
   *
   * @default Math.random
   */
  random?: () => number;
}
