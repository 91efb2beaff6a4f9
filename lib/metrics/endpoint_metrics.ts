/**
 * Reads the endpoints and the version of a process for Prometheus.
 *
 * @module
 */
import type { EndpointStats } from "../client/endpoint_stats.ts";
import { runtimeName } from "../runtime/runtime.ts";
import { VERSION } from "../version.ts";
import { BUILD_INFO, ENDPOINT_METRICS } from "./definitions.ts";
import type { MetricFactory } from "./prom_client.ts";

/** One endpoint, by the name that identifies it. */
export interface NamedEndpoint
  extends Pick<EndpointStats, "model" | "state" | "inFlight" | "concurrency"> {
  name: string;
}

const STATES = ["up", "cooling", "down", "probing"] as const;

/** Adds up a number of the endpoints by their labels: several can have the same name and model. */
function sums(
  endpoints: readonly NamedEndpoint[],
  field: "inFlight" | "concurrency",
): { labels: Record<string, string>; sum: number }[] {
  const found = new Map<string, { labels: Record<string, string>; sum: number }>();
  for (const each of endpoints) {
    const labels = { endpoint: each.name, model: each.model ?? "" };
    const key = `${labels.endpoint}\n${labels.model}`;
    const entry = found.get(key) ?? { labels, sum: 0 };
    entry.sum += each[field];
    found.set(key, entry);
  }
  return [...found.values()];
}

/** Registers the metrics of endpoints, which are read each time. */
export function addEndpointMetrics(
  metrics: MetricFactory,
  read: () => readonly NamedEndpoint[],
): void {
  metrics.gauge(ENDPOINT_METRICS.state, (set) => {
    const endpoints = read();
    for (const { name, model = "" } of endpoints) {
      const same = endpoints.filter((other) =>
        other.name === name && (other.model ?? "") === model
      );
      for (const state of STATES) {
        const isCurrent = same.some((other) => other.state === state);
        set({ endpoint: name, model, state }, isCurrent ? 1 : 0);
      }
    }
  });
  for (const field of ["inFlight", "concurrency"] as const) {
    metrics.gauge(ENDPOINT_METRICS[field], (set) => {
      for (const { labels, sum } of sums(read(), field)) set(labels, sum);
    });
  }
}

/** Registers the version of the process. */
export function addBuildInfo(metrics: MetricFactory): void {
  const [runtime, runtimeVersion] = runtimeName().split(" ");
  const labels = { version: VERSION, runtime, runtime_version: runtimeVersion };
  metrics.gauge(BUILD_INFO, (set) => set(labels, 1));
}
