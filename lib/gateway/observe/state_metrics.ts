/**
 * Reads the state of a gateway, its endpoints and its keys for Prometheus, at the time of a scrape.
 *
 * @module
 */
import process from "node:process";
import type { Registry } from "prom-client";
import { runtimeName } from "../../runtime/runtime.ts";
import { VERSION } from "../../version.ts";
import type { KeyReport } from "../access.ts";
import type { ObservedGateway } from "./observed_gateway.ts";
import type { PromClient } from "./request_metrics.ts";

/** Maximum number of keys and of teams with their own time series: those that spent the most this month. */
const MAX_KEYS = 500;

const ENDPOINT_STATES = ["up", "cooling", "down", "probing"];
const PERIODS = ["day", "month", "total"] as const;

type AddGauge = (
  name: string,
  help: string,
  labelNames: string[],
  read: (set: (labels: Record<string, string>, value: number) => void) => void,
) => void;

function addEndpointMetrics(add: AddGauge, state: ObservedGateway): void {
  const labels = ["endpoint", "model"];
  add(
    "flexllm_endpoint_state",
    "1 for the current state of an endpoint, 0 for the other states.",
    [...labels, "state"],
    (set) => {
      for (const { name, model = "", state: current } of state.endpoints) {
        for (const other of ENDPOINT_STATES) {
          set({ endpoint: name, model, state: other }, other === current ? 1 : 0);
        }
      }
    },
  );
  add(
    "flexllm_endpoint_in_flight_requests",
    "Requests in flight at an endpoint.",
    labels,
    (set) => {
      for (const { name, model = "", inFlight } of state.endpoints) {
        set({ endpoint: name, model }, inFlight);
      }
    },
  );
  add(
    "flexllm_endpoint_concurrency_limit",
    "Current maximum of requests in flight at an endpoint.",
    labels,
    (set) => {
      for (const { name, model = "", concurrency } of state.endpoints) {
        set({ endpoint: name, model }, concurrency);
      }
    },
  );
}

/** The reports of one kind, at most {@link MAX_KEYS}. */
function bounded(state: ObservedGateway, kind: KeyReport["kind"]): KeyReport[] {
  const reports = (state.keys ?? []).filter((report) => report.kind === kind);
  if (reports.length <= MAX_KEYS) return reports;
  return reports.sort((a, b) => b.spent.month - a.spent.month).slice(0, MAX_KEYS);
}

function addSpending(add: AddGauge, state: ObservedGateway, kind: KeyReport["kind"]): void {
  const names = { key: ["flexllm_key", "a key"], team: ["flexllm_team", "a team"] } as const;
  const [prefix, whom] = kind === "all" ? ["flexllm_all_keys", "all keys together"] : names[kind];
  const labelsOf = ({ name }: KeyReport, period: string): Record<string, string> =>
    kind === "all" ? { period } : { [kind]: name, period };
  const labelNames = kind === "all" ? ["period"] : [kind, "period"];
  add(
    `${prefix}_spent_usd`,
    `USD spent by ${whom} in the current UTC day, month and altogether, with open reservations.`,
    labelNames,
    (set) => {
      for (const report of bounded(state, kind)) {
        for (const period of PERIODS) set(labelsOf(report, period), report.spent[period]);
      }
    },
  );
  add(
    `${prefix}_budget_remaining_usd`,
    `USD left of the budgets of ${whom}.`,
    labelNames,
    (set) => {
      for (const report of bounded(state, kind)) {
        for (const period of PERIODS) {
          const budget = report.limits.budget?.[period];
          if (budget === undefined) continue;
          set(labelsOf(report, period), Math.max(0, budget - report.spent[period]));
        }
      }
    },
  );
}

/** Registers the metrics that are read at each scrape. */
export function addStateMetrics({ Gauge }: PromClient, registry: Registry, state: ObservedGateway) {
  const add: AddGauge = (name, help, labelNames, read) => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        // Keys and endpoints that no longer exist must not remain.
        this.reset();
        read((labels, value) => this.set(labels, value));
      },
    });
  };
  const addOne = (name: string, help: string, read: () => number) =>
    add(name, help, [], (set) => set({}, read()));
  const [runtime, runtimeVersion] = runtimeName().split(" ");
  const build = { version: VERSION, runtime, runtime_version: runtimeVersion };
  add("flexllm_build_info", "The version, always 1.", Object.keys(build), (set) => set(build, 1));
  addOne(
    "flexllm_in_flight_requests",
    "Calls in flight, those in the queue included.",
    () => state.inFlight,
  );
  addOne("flexllm_queued_requests", "Calls that wait for an endpoint.", () => state.queued);
  addOne(
    "flexllm_draining",
    "1 while the gateway is shutting down.",
    () => state.isDraining ? 1 : 0,
  );
  if (state.store !== undefined) {
    addOne(
      "flexllm_shared_store_up",
      "1 while Redis, through which gateways share limits and budgets, can be used.",
      () => state.store?.up ? 1 : 0,
    );
    addOne(
      "flexllm_gateways",
      "Gateways that share limits and budgets, as last seen.",
      () => state.store?.gateways ?? 0,
    );
  }
  addEndpointMetrics(add, state);
  for (const kind of ["key", "team", "all"] as const) addSpending(add, state, kind);
  addOne("process_resident_memory_bytes", "Memory in use.", () => process.memoryUsage().rss);
  addOne(
    "process_start_time_seconds",
    "When the process was started, in seconds since 1970.",
    () => Date.now() / 1000 - process.uptime(),
  );
}
