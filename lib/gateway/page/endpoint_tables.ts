/**
 * Renders the endpoints and the routes of a gateway as tables.
 *
 * @module
 */
import { html } from "hono/html";
import { describeServer, type EndpointStatus, type GatewayStatus } from "../status.ts";
import { count, longTime, seconds } from "./format.ts";
import { empty, type Html, table } from "./table.ts";

const STATES = {
  up: { text: "up", style: "good" },
  cooling: { text: "paused", style: "warn" },
  probing: { text: "recovering", style: "warn" },
  down: { text: "down", style: "bad" },
} as const;

const STRATEGIES = {
  fallback: "in order",
  round_robin: "round robin",
  weighted: "by weight",
  random: "random",
  least_busy: "least busy",
  latency: "fastest",
} as const;

function endpointRow(status: EndpointStatus): Html {
  const { name, inFlight, concurrency, latency, answers, failures } = status;
  const { text, style } = STATES[status.state];
  const retry = status.retryIn === null
    ? ""
    : `next request in ${longTime(Math.ceil(status.retryIn))}`;
  return html`
    <tr>
      <th scope="row">${name}<span class="sub">${describeServer(status)}</span></th>
      <td><span class="state ${style}">${text}</span>${retry &&
        html`<span class="sub">${retry}</span>`}</td>
      <td class="num">${count(inFlight)} of ${count(concurrency)}</td>
      <td class="num">${latency === null ? "–" : seconds(latency)}</td>
      <td class="num">${count(answers)}</td>
      <td class="num">${count(failures)}</td>
      <td class="wide">${status.lastError?.message ?? html`<span class="muted">none</span>`}</td>
    </tr>
  `;
}

/** Renders the endpoints. */
export function endpointTable({ endpoints }: GatewayStatus): Html {
  return table("Endpoints", [
    { title: "Endpoint" },
    { title: "State" },
    { title: "In flight", isNumber: true },
    { title: "Latency", isNumber: true },
    { title: "Answers", isNumber: true },
    { title: "Failures", isNumber: true },
    { title: "Last failure" },
  ], endpoints.map(endpointRow));
}

/** Renders the model names that clients can use. */
export function routeTable({ routes }: GatewayStatus): Html {
  if (routes.length === 0) return empty("No models are configured.");
  return table(
    "Models",
    [{ title: "Model" }, { title: "Endpoints" }, { title: "Distribution" }],
    routes.map(({ name, targets, loadBalance, sticky }) => {
      const strategy = targets.length < 2
        ? html`<span class="muted">–</span>`
        : `${STRATEGIES[loadBalance]}${sticky ? ", sticky" : ""}`;
      return html`
        <tr>
          <th scope="row">${name}</th>
          <td class="text">${targets.map((target, i) => html`${i === 0 ? "" : ", "}${target}`)}</td>
          <td>${strategy}</td>
        </tr>
      `;
    }),
  );
}
