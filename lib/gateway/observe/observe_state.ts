/**
 * Reads the state of a running gateway for its reports.
 *
 * @module
 */
import type { GatewayState } from "../gateway_state.ts";
import type { Route } from "../routes.ts";
import { endpointReports } from "./endpoint_reports.ts";
import type { ObservedGateway, RouteReport } from "./observed_gateway.ts";

function routeReport(
  { name, targets, loadBalance, isSticky }: Route,
  state: GatewayState,
): RouteReport {
  const own = new Set(state.pipeline.endpoints);
  const targetName = ({ endpoint, model }: Route["targets"][number]) => {
    const server = endpoint.routeName ?? endpoint.name;
    return own.has(endpoint) ? server : `${model}@${server}`;
  };
  return { name, targets: targets.map(targetName), loadBalance, sticky: isSticky };
}

/** Shows a gateway to its reports. `current` is what new calls use; a reload replaces it. */
export function observeState(
  gateway: { readonly isDraining: boolean; readonly inFlight: number },
  current: () => GatewayState,
): ObservedGateway {
  return {
    get isDraining() {
      return gateway.isDraining;
    },
    get inFlight() {
      return gateway.inFlight;
    },
    get queued() {
      return current().pipeline.waiting;
    },
    get endpoints() {
      return endpointReports(current());
    },
    get routes() {
      const state = current();
      return Array.from(state.routes.all(), (route) => routeReport(route, state));
    },
    get keys() {
      return current().access?.report();
    },
    get store() {
      return current().access?.store?.();
    },
  };
}
