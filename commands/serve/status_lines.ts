/**
 * Formats the status of a gateway as tables.
 *
 * @module
 */
import process from "node:process";
import type { KeyReport } from "../../lib/gateway/access.ts";
import {
  describeServer,
  type EndpointStatus,
  type GatewayStatus,
} from "../../lib/gateway/status.ts";
import { COUNT, counted, dollars, duration } from "../terminal/format.ts";
import { colored } from "../terminal/output.ts";
import { type Cell, type Column, tableSection } from "../terminal/table.ts";
import { describeRates } from "./virtual_key/describe_key.ts";

/** Maximum errors that are shown; `--json` has all of them. */
const MAX_ERRORS = 10;

const right = (title: string): Column => ({ title, align: "right" });
const left = (title: string): Column => ({ title });

function stateCell({ state, retryIn }: EndpointStatus): Cell {
  if (state === "up") return { text: state, style: "green" };
  const text = retryIn === null ? state : `${state}, retry in ${duration(retryIn)}`;
  return { text, style: state === "down" ? "red" : "yellow" };
}

function endpointRow(endpoint: EndpointStatus): Cell[] {
  const { name, inFlight, concurrency, latency, answers, failures, lastError } = endpoint;
  return [
    name,
    stateCell(endpoint),
    `${inFlight} of ${concurrency}`,
    latency === null ? "" : duration(latency),
    COUNT.format(answers),
    COUNT.format(failures),
    describeServer(endpoint),
    lastError?.message ?? "",
  ];
}

function amount(spent: number, budget: number | undefined): Cell {
  if (budget === undefined) return dollars(spent);
  const text = `${dollars(spent)} of ${dollars(budget)}`;
  return spent >= budget ? { text, style: "red" } : text;
}

function keyRow({ kind, name, state, limits, spent, inFlight, requests, team }: KeyReport): Cell[] {
  const { budget = {} } = limits;
  const label = kind === "all" ? "all keys" : kind === "team" ? `team ${name}` : name || "anyone";
  return [
    label,
    state === "active" ? state : { text: state, style: "yellow" },
    kind === "key" ? team ?? "" : "",
    describeRates(limits),
    String(inFlight),
    COUNT.format(requests),
    amount(spent.day, budget.day),
    amount(spent.month, budget.month),
    amount(spent.total, budget.total),
  ];
}

function errorRow(error: GatewayStatus["recentErrors"][number]): Cell[] {
  const { at, status, model, key, message } = error;
  return [
    new Date(at).toISOString().slice(0, 19).replace("T", " "),
    status === undefined ? "" : String(status),
    model ?? "",
    key ?? "",
    message,
  ];
}

function summary({ ready, reason, draining, inFlight, queued, totals }: GatewayStatus): string {
  const state = draining ? "draining" : ready ? "ready" : reason ?? "not ready";
  const spent = totals.cost > 0 ? `, ${dollars(totals.cost)}` : "";
  return `${state}, ${counted(inFlight, "request")} in flight, ${COUNT.format(queued)} queued; ` +
    `since the start: ${counted(totals.requests, "request")}, ` +
    `${counted(totals.errors, "error")}${spent}`;
}

/** The gateways that share limits with this one; nothing if it shares none. */
function storeLines({ store }: GatewayStatus): string[] {
  if (store === undefined) return [];
  const { address, up, downFor, gateways, publishesKeys } = store;
  const line =
    `shares limits, budgets and keys through ${address}: ${counted(gateways, "gateway")}` +
    (publishesKeys ? "; the keys come from this one" : "");
  if (up) return [line];
  return [line, colored("yellow", `Redis is down for ${duration(downFor)}`, process.stdout)];
}

/** Formats the status. */
export function statusLines(status: GatewayStatus, url: string): string[] {
  const { version, runtime, uptime, endpoints, routes, keys, recentErrors } = status;
  return [
    `flexllm ${version} at ${url} (${runtime}), up for ${duration(uptime)}`,
    summary(status),
    ...storeLines(status),
    ...tableSection("Routes", [left("name"), left("targets"), left("load balance")], [
      ...routes.map(({ name, targets, loadBalance }) => [
        name,
        targets.join(", "),
        targets.length > 1 ? loadBalance : "",
      ]),
    ]),
    ...tableSection(
      "Endpoints",
      [
        left("name"),
        left("state"),
        right("in flight"),
        right("latency"),
        right("answers"),
        right("failures"),
        left("server"),
        left("last error"),
      ],
      endpoints.map(endpointRow),
    ),
    ...tableSection(
      "Keys",
      [
        left("name"),
        left("state"),
        left("team"),
        left("limits"),
        right("in flight"),
        right("today's requests"),
        right("today"),
        right("month"),
        right("total"),
      ],
      (keys ?? []).map(keyRow),
    ),
    ...tableSection(
      "Recent errors",
      [left("time (UTC)"), left("status"), left("model"), left("key"), left("error")],
      recentErrors.slice(0, MAX_ERRORS).map(errorRow),
    ),
  ];
}
