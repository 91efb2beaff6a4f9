/**
 * Defines what the status, the page and the metrics read about a running gateway.
 *
 * @module
 */
import type { EndpointStats } from "../../client/endpoint_stats.ts";
import type { LoadBalance } from "../../scheduling/load_balancer.ts";
import type { KeyReport, SharedStoreReport } from "../access.ts";

/** One endpoint of the pool. */
export interface EndpointReport extends EndpointStats {
  /** The name by which routes refer to it: its `name`, else its model. */
  name: string;
}

/** One model name that clients can use. */
export interface RouteReport {
  /** The model name. */
  name: string;
  /** The endpoints, in order, as configured. */
  targets: readonly string[];
  loadBalance: LoadBalance;
  sticky: boolean;
}

/** The state of a gateway. Each property is read again for each report. */
export interface ObservedGateway {
  /** Whether it is shutting down and refuses new calls. */
  readonly isDraining: boolean;
  /** Calls in flight, those in the queue included. */
  readonly inFlight: number;
  /** Calls that wait for an endpoint. */
  readonly queued: number;
  readonly endpoints: readonly EndpointReport[];
  readonly routes: readonly RouteReport[];
  /** Spending and limits of the keys, their teams and the whole gateway; absent without virtual keys. */
  readonly keys?: readonly KeyReport[];
  /** The store that gateways share; absent if nothing is shared. */
  readonly store?: SharedStoreReport;
}

/** Whether a gateway can take calls, for `/health/ready`. */
export interface Readiness {
  ready: boolean;
  /** Why not. */
  reason?: "draining" | "no endpoint is up";
  /** Whether the store that gateways share can be used; absent if nothing is shared. */
  store?: "up" | "down";
}

/** Whether an endpoint takes a request, now or after a pause. */
function takesRequests(
  { state, retryIn }: Pick<EndpointReport, "state" | "retryIn">,
): boolean {
  // An endpoint that is down is tested with a request. Without this case, a gateway whose balancer sends it
  // requests only while it is ready would never become ready again.
  return state === "up" || state === "cooling" || state === "down" && retryIn === null;
}

/**
 * Reads whether a gateway can take calls: it is not draining, and at least one endpoint is up or due for a test.
 */
export function readiness(
  { isDraining, endpoints, store }: Pick<ObservedGateway, "isDraining" | "endpoints" | "store">,
): Readiness {
  // A gateway stays ready without the store: all of them would be taken out of service at once.
  const shared = store === undefined ? {} : { store: store.up ? "up" : "down" } as const;
  if (isDraining) return { ready: false, reason: "draining", ...shared };
  return endpoints.some(takesRequests)
    ? { ready: true, ...shared }
    : { ready: false, reason: "no endpoint is up", ...shared };
}
