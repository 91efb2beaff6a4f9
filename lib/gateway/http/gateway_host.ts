/**
 * Defines what the HTTP side of the gateway needs from the gateway behind it.
 *
 * @module
 */
import type { Context } from "hono";
import type { EndpointClient } from "../../client/endpoint_client.ts";
import type { GatewayFacts } from "../gateway_facts.ts";
import type { GatewayOptions } from "../gateway_options.ts";
import type { RequestTraces } from "../observe/request_traces.ts";
import type { Readiness } from "../observe/observed_gateway.ts";
import type { HttpCall } from "./http_call.ts";

/** A model at one endpoint. */
export interface RouteTarget {
  readonly endpoint: EndpointClient;
  /** The model under the endpoint's name for it. */
  readonly model: string;
}

/** A model name that clients can use, and where its calls go. */
export interface NamedRoute {
  readonly name: string;
  /** In the order of preference. */
  readonly targets: readonly RouteTarget[];
}

/** Sends one attempt to one target of a route. Errors that are the endpoint's fault move on to the next. */
export type TargetAttempt<T> = (target: RouteTarget) => Promise<T>;

/** What an attempt needs. */
export interface AttemptOptions {
  readonly call: HttpCall;
  /** Estimated input tokens. */
  readonly tokens: number;
  /** Throws if a target cannot take the request; another one is then used. */
  check(target: RouteTarget): void;
}

/** Answers requests for one of the operator's pages. */
export type AdminHandler = (context: Context) => Response | Promise<Response>;

/** The gateway, as its HTTP side sees it. */
export interface GatewayHost {
  /** The current options; a reload replaces them. */
  readonly options: GatewayOptions;
  /** Whether new calls are refused because the gateway is about to stop. */
  readonly isDraining: boolean;
  /** Whether the gateway can take calls. Reading it never calls a model. */
  readonly readiness: Readiness;
  /** The route of a model name, without a check of the caller. */
  route(model: string): NamedRoute | undefined;
  /** All routes, in the order of the configuration. */
  routes(): Iterable<NamedRoute>;
  /**
   * The route that a call asks for.
   *
   * @throws {GatewayError} 403 if the caller may not use the model, 404 if there is none
   */
  routeOf(call: Pick<HttpCall, "model" | "caller">): NamedRoute;
  /** Answers a chat call. Never rejects, and reports the facts of the call by itself. */
  answerCall(call: HttpCall): Promise<Response>;
  /**
   * Runs an attempt that is no chat at a target of the route, in the order of the queue and within the limits of
   * the endpoints.
   */
  runAttempt<T>(
    route: NamedRoute,
    options: AttemptOptions,
    attempt: TargetAttempt<T>,
  ): Promise<T>;
  /** Loads the prices of all endpoints, once. */
  loadPrices(): Promise<void> | undefined;
  /** Reports the facts of a request that never became a chat call. */
  report(facts: GatewayFacts): void;
  /** The spans of requests. Reported facts end them. */
  readonly traces: RequestTraces;
  /** The handlers of the operator's pages, by path: `/`, `/status`, `/metrics`. */
  readonly adminHandlers: Readonly<Record<string, AdminHandler>>;
}
