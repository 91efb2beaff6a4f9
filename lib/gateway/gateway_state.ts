/**
 * Holds what the calls of a gateway use: a pool, its routes and the options. A reload replaces it as a whole;
 * calls in flight keep theirs.
 *
 * @module
 */
import type { CacheRequest } from "../cache/response_cache.ts";
import type { CachedCalls } from "../client/cached_calls.ts";
import type { CallPipeline } from "../client/call_pipeline.ts";
import { type LLMClient, pipelineOf } from "../client/client.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import type { Access } from "./access.ts";
import type { CallDeadlines } from "./call_deadline.ts";
import { cacheRequestOf, isCacheable } from "./cached_answers.ts";
import type { GatewayCall } from "./gateway_call.ts";
import { GatewayError } from "./gateway_error.ts";
import type { GatewayOptions } from "./gateway_options.ts";
import { signerOf } from "./lane_choice.ts";
import { routeOfCall } from "./route_of_call.ts";
import { type Route, Routes } from "./routes.ts";
import { sessionOf } from "./session.ts";

/** The default of {@link GatewayOptions.maxQueue}. */
const MAX_QUEUE = 1000;
/** The default of {@link GatewayOptions.keepAlive}, in seconds. */
const KEEP_ALIVE = 15;

/** A pool, its routes and the options. */
export class GatewayState {
  readonly pipeline: CallPipeline;
  readonly routes: Routes;
  readonly access: Access | undefined;
  readonly maxQueue: number;
  /** Seconds. */
  readonly keepAlive: number;
  /** The response cache of the pool. */
  readonly cache: CachedCalls | undefined;
  #calls = 0;
  #isRetired = false;
  #hasPrices = false;
  #closing: Promise<void> | undefined;

  /** @throws {ConfigurationError} if a route names an endpoint that does not exist */
  constructor(readonly pool: LLMClient, readonly options: GatewayOptions) {
    this.pipeline = pipelineOf(pool);
    this.routes = new Routes(this.pipeline, options.routes);
    this.access = options.access;
    this.maxQueue = options.maxQueue ?? MAX_QUEUE;
    this.keepAlive = options.keepAlive ?? KEEP_ALIVE;
    this.cache = this.pipeline.cache;
  }

  /** Counts a call that uses the state. */
  enter(): void {
    this.#calls++;
  }

  /** Ends such a call. */
  leave(): void {
    this.#calls--;
    this.#closeIfUnused();
  }

  /** Closes the pool when its last call has ended, unless the pool is still used. */
  retire(isUnused: boolean): void {
    this.#isRetired = isUnused;
    this.#closeIfUnused();
  }

  /** Closes the pool. */
  close(): Promise<void> {
    return this.#closing ??= this.pool.close();
  }

  #closeIfUnused(): void {
    if (this.#isRetired && this.#calls === 0) this.close();
  }

  /**
   * The route of a call.
   *
   * @throws {GatewayError} if there is none, or the caller may not use it
   */
  routeOf(call: Pick<GatewayCall, "model" | "caller">): Route {
    return routeOfCall(this.routes, call);
  }

  /**
   * Begins the wait of a call for an endpoint.
   *
   * @throws {GatewayError} 429 if too many calls wait
   */
  beginWait(deadlines: CallDeadlines, isRetry: boolean): void {
    const { maxQueue, pipeline } = this;
    // A call that was sent once already has its place.
    if (isRetry || pipeline.waiting < maxQueue) return deadlines.waiting(pipeline.options.maxWait);
    throw new GatewayError(429, "too many calls are waiting for a model; try again later", {
      reason: "queue_full",
      retryAfter: 1,
      hint: "Send fewer calls at once, or raise the concurrency of the endpoints.",
    });
  }

  /** Loads the prices of all endpoints; returns nothing once they are loaded. */
  loadPrices(): Promise<void> | undefined {
    return this.#hasPrices ? undefined : this.#loadPrices();
  }

  async #loadPrices(): Promise<void> {
    const endpoints = new Set<EndpointClient>(this.pipeline.endpoints);
    for (const { endpoints: more } of this.routes.all()) {
      for (const endpoint of more) endpoints.add(endpoint);
    }
    await Promise.all([...endpoints].map((endpoint) => endpoint.loadPricer()));
    this.#hasPrices = true;
  }

  /**
   * The endpoint that a call should use if it is available: the one that has stored the response which it
   * continues, or whose signatures its history has, else the one of its conversation.
   */
  preferred(call: GatewayCall, route: Route): EndpointClient | undefined {
    if (route.endpoints.length === 1) return undefined;
    const stored = route.storedResponses.find(call.body.previous_response_id);
    if (stored !== undefined) return stored;
    const signer = signerOf(call, route.targets);
    if (signer !== undefined || !route.isSticky) return signer;
    const session = sessionOf(call);
    return session === undefined ? undefined : route.preferred(session);
  }

  /** What the cache needs to know about a call; `undefined` if it cannot answer it. */
  cacheRequest(call: GatewayCall, route: Route): CacheRequest | undefined {
    const { cache } = this;
    if (cache === undefined || !isCacheable(call.body)) return undefined;
    const { cacheScope = "key" } = this.options;
    const owner = cacheScope === "key" ? `key ${call.caller.id}` : "shared";
    return cacheRequestOf(call, route, `${cache.namespace}\n${owner}`);
  }
}
