/**
 * Reports the status of a gateway, for `GET /status`, `flexllm serve status` and the status page.
 *
 * @module
 */
import { baseUrlOf } from "../services/providers.ts";
import { runtimeName } from "../runtime/runtime.ts";
import { VERSION } from "../version.ts";
import type { KeyReport, SharedStoreReport } from "./access.ts";
import type { GatewayMonitor } from "./observe/gateway_monitor.ts";
import { type EndpointReport, readiness, type RouteReport } from "./observe/observed_gateway.ts";
import type { RecentError } from "./observe/recent_errors.ts";
import type { GatewayTotals } from "./observe/totals.ts";
import type { TrafficMinute } from "./observe/traffic.ts";

/** The last failure of an endpoint. */
export interface EndpointError {
  /** The kind of error. */
  code: string;
  message: string;
}

/** The status of one endpoint. */
export interface EndpointStatus extends Omit<EndpointReport, "lastError"> {
  lastError: EndpointError | null;
}

/** The status of a gateway. Times are in seconds unless noted otherwise. */
export interface GatewayStatus {
  /** The version of flexllm. */
  version: string;
  /** The runtime and its version, such as `deno 2.9.6`. */
  runtime: string;
  /** When the gateway was started, in ISO 8601 format, UTC. */
  startedAt: string;
  /** Since the start. */
  uptime: number;
  /** Whether it takes calls: it is not draining, and an endpoint is up. */
  ready: boolean;
  /** Why it is not ready. */
  reason?: string;
  /** Whether it is shutting down and refuses new calls. */
  draining: boolean;
  /** Calls in flight, those in the queue included. */
  inFlight: number;
  /** Calls that wait for an endpoint. */
  queued: number;
  /** Counts since the start. */
  totals: GatewayTotals;
  endpoints: EndpointStatus[];
  routes: RouteReport[];
  /** Spending and limits of keys, teams and the whole gateway; `null` without virtual keys. */
  keys: KeyReport[] | null;
  /** The store that gateways share, such as Redis; absent if nothing is shared. */
  store?: SharedStoreReport;
  /** The most recent 100 failed requests, newest first. */
  recentErrors: RecentError[];
  /** The last 60 minutes, oldest first. */
  traffic: TrafficMinute[];
}

/** Where an endpoint is, for people: its server, after its model if that is not its name. */
export function describeServer({ name, endpoint, model }: EndpointStatus): string {
  const server = endpoint === baseUrlOf("mock") ? "built in" : endpoint;
  return model === undefined || model === name ? server : `${model} at ${server}`;
}

function endpointStatus({ lastError, ...rest }: EndpointReport): EndpointStatus {
  return {
    ...rest,
    lastError: lastError && { code: lastError.code, message: lastError.message },
  };
}

/** Reads the current status. */
export function gatewayStatus(monitor: GatewayMonitor): GatewayStatus {
  const { state, startedAt } = monitor;
  const { ready, reason } = readiness(state);
  return {
    version: VERSION,
    runtime: runtimeName(),
    startedAt: new Date(startedAt).toISOString(),
    uptime: Math.max(0, (monitor.now() - startedAt) / 1000),
    ready,
    ...reason === undefined ? {} : { reason },
    draining: state.isDraining,
    inFlight: state.inFlight,
    queued: state.queued,
    totals: monitor.totals,
    endpoints: state.endpoints.map(endpointStatus),
    routes: [...state.routes],
    keys: state.keys === undefined ? null : [...state.keys],
    ...state.store === undefined ? {} : { store: state.store },
    recentErrors: monitor.recentErrors,
    traffic: monitor.traffic,
  };
}
