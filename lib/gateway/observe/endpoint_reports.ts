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

/** Reads all endpoints: those of the pool, and further models at their servers that only routes name. */
export function endpointReports(
  { pipeline, routes }: { pipeline: CallPipeline; routes: Routes },
): EndpointReport[] {
  const endpoints = new Set<EndpointClient>(pipeline.endpoints);
  for (const route of routes.all()) {
    for (const endpoint of route.endpoints) endpoints.add(endpoint);
  }
  const now = systemClock.now();
  return Array.from(endpoints, (endpoint) => endpointReport(endpoint, now));
}
