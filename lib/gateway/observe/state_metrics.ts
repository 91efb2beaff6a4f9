/**
 * Reads the state of a gateway, its endpoints and its keys for Prometheus, at the time of a scrape.
 *
 * @module
 */
import process from "node:process";
import { GATEWAY_METRICS, SPENDING_METRICS } from "../../metrics/definitions.ts";
import { addBuildInfo, addEndpointMetrics } from "../../metrics/endpoint_metrics.ts";
import type { MetricFactory } from "../../metrics/prom_client.ts";
import type { KeyReport } from "../access.ts";
import type { ObservedGateway } from "./observed_gateway.ts";

/** Maximum number of keys and of teams with their own time series: those that spent the most this month. */
const MAX_KEYS = 500;

const PERIODS = ["day", "month", "total"] as const;

/** The reports of one kind, at most {@link MAX_KEYS}. */
function bounded(state: ObservedGateway, kind: KeyReport["kind"]): KeyReport[] {
  const reports = (state.keys ?? []).filter((report) => report.kind === kind);
  if (reports.length <= MAX_KEYS) return reports;
  return reports.sort((a, b) => b.spent.month - a.spent.month).slice(0, MAX_KEYS);
}

function addSpending(metrics: MetricFactory, state: ObservedGateway, kind: KeyReport["kind"]) {
  const { spent, remaining } = SPENDING_METRICS[kind];
  const labelsOf = ({ name }: KeyReport, period: string): Record<string, string> =>
    kind === "all" ? { period } : { [kind]: name, period };
  metrics.gauge(spent, (set) => {
    for (const report of bounded(state, kind)) {
      for (const period of PERIODS) set(labelsOf(report, period), report.spent[period]);
    }
  });
  metrics.gauge(remaining, (set) => {
    for (const report of bounded(state, kind)) {
      for (const period of PERIODS) {
        const budget = report.limits.budget?.[period];
        if (budget === undefined) continue;
        set(labelsOf(report, period), Math.max(0, budget - report.spent[period]));
      }
    }
  });
}

/** Registers the metrics that are read at each scrape. */
export function addStateMetrics(metrics: MetricFactory, state: ObservedGateway): void {
  addBuildInfo(metrics);
  metrics.value(GATEWAY_METRICS.inFlight, () => state.inFlight);
  metrics.value(GATEWAY_METRICS.queued, () => state.queued);
  metrics.value(GATEWAY_METRICS.draining, () => state.isDraining ? 1 : 0);
  if (state.store !== undefined) {
    metrics.value(GATEWAY_METRICS.storeUp, () => state.store?.up ? 1 : 0);
    metrics.value(GATEWAY_METRICS.gateways, () => state.store?.gateways ?? 0);
  }
  addEndpointMetrics(metrics, () => state.endpoints);
  for (const kind of ["key", "team", "all"] as const) addSpending(metrics, state, kind);
  metrics.value(GATEWAY_METRICS.memory, () => process.memoryUsage().rss);
  metrics.value(GATEWAY_METRICS.startTime, () => Date.now() / 1000 - process.uptime());
}
