/**
 * Reads the state of all endpoints of a gateway.
 *
 * @module
 */
import type { CallPipeline } from "../../client/call_pipeline.ts";
import type { EndpointClient } from "../../client/endpoint_client.ts";
import { endpointStats } from "../../client/endpoint_stats.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { Routes } from "../routes.ts";
import type { EndpointReport } from "./observed_gateway.ts";

function endpointReport(endpoint: EndpointClient, now: number): EndpointReport {
  return { name: endpoint.routeName ?? endpoint.name, ...endpointStats(endpoint, now) };
}

/** A pool and its routes. */
interface PoolState {
  readonly pipeline: CallPipeline;
  readonly routes: Routes;
}

/** All endpoints: those of the pool, and further models at their servers that only routes name. */
function endpointsOf({ pipeline, routes }: PoolState): Set<EndpointClient> {
  const endpoints = new Set<EndpointClient>(pipeline.endpoints);
  for (const route of routes.all()) {
    for (const endpoint of route.endpoints) endpoints.add(endpoint);
  }
  return endpoints;
}

/** Reads all endpoints. */
export function endpointReports(state: PoolState): EndpointReport[] {
  const now = systemClock.now();
  return Array.from(endpointsOf(state), (endpoint) => endpointReport(endpoint, now));
}

/** What endpoints of two configurations have in common if they are the same. */
function identityOf({ routeName, name, model }: EndpointClient): string {
  return JSON.stringify([routeName, name, model]);
}

/** Continues the counts of `old` endpoints in those of `next` that are the same. */
export function continueReports(old: PoolState, next: PoolState): void {
  const before = Map.groupBy(endpointsOf(old), identityOf);
  for (const endpoint of endpointsOf(next)) {
    const same = before.get(identityOf(endpoint))?.shift();
    if (same !== undefined) endpoint.limits.continueRecord(same.limits);
  }
}
