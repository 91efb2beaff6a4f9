/**
 * Defines the options of a gateway.
 *
 * @module
 */
import type { AttemptFacts } from "../chat/call_facts.ts";
import type { LoadBalance } from "../scheduling/load_balancer.ts";
import type { Access } from "./access.ts";
import type { GatewayObserver } from "./gateway_facts.ts";

/** Where the calls for one model name go. */
export interface GatewayRoute {
  /**
   * The endpoints, in order: the name of a pool endpoint (its `name`, else its `model`), or `model@name`
   * for another model at that endpoint's server.
   */
  targets: readonly string[];
  /**
   * How calls are distributed. `fallback` uses the first endpoint that is up.
   *
   * @default "fallback"
   */
  loadBalance?: LoadBalance;
  /**
   * Whether a conversation stays at one endpoint while that is available: prompt caches and thinking
   * signatures belong to the endpoint that wrote them.
   *
   * @default true
   */
  sticky?: boolean;
}

/** The options of {@link createGatewayApp}. Times are in seconds. */
export interface GatewayOptions {
  /**
   * The model names that clients can use besides those of the pool's endpoints, such as
   * `{"gpt-4": ["gpt-5.4-mini", "claude-haiku-4-5"]}`.
   */
  routes?: Readonly<Record<string, GatewayRoute | readonly string[]>>;
  /**
   * Who may call, with which limits. Without it, everyone who reaches the gateway may call.
   */
  access?: Access;
  /** Protects `/`, `/status` and `/metrics`. Without it, only requests from this machine may read them. */
  adminKey?: string;
  /**
   * Whether answers of the pool's response cache are shared by all keys, or each key has its own.
   *
   * @default "key"
   */
  cacheScope?: "key" | "shared";
  /**
   * Maximum size of a request body, in bytes.
   *
   * @default 33554432 (32 MiB)
   */
  maxBodyBytes?: number;
  /**
   * Maximum requests that wait for an endpoint; further ones are refused with 429.
   *
   * @default 1000
   */
  maxQueue?: number;
  /**
   * Interval of keep-alive comments in silent streams.
   *
   * @default 15
   */
  keepAlive?: number;
  /** Origins that browsers may call from, such as `https://chat.example.org`; by default none. */
  corsOrigins?: readonly string[];
  /** Called with the facts of each request when it has ended. */
  onRequest?: GatewayObserver;
  /**
   * Called when an attempt at an endpoint has ended. For a stream, that is when its first event has arrived, or it
   * failed before.
   */
  onAttempt?: (facts: AttemptFacts) => void;
}
