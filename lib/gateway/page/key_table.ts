/**
 * Renders the spending of virtual keys, teams and the whole gateway as a table.
 *
 * @module
 */
import { html } from "hono/html";
import type { KeyReport } from "../access.ts";
import type { GatewayStatus } from "../status.ts";
import { count, dollars } from "./format.ts";
import { empty, type Html, table } from "./table.ts";

/** Maximum number of rows. */
const MAX_ROWS = 200;
/** The shares of a budget from which on its bar changes its color. */
const NEARLY = 0.8;
const USED_UP = 1;

const PERIODS = ["day", "month", "total"] as const;

/** A bar that shows the used share of a budget; the text next to it says the same. */
function meter(share: number): Html {
  const style = share >= USED_UP ? " bad" : share >= NEARLY ? " warn" : "";
  const width = Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  return html`
    <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="4" />
      <rect class="fill${style}" width="${width}" height="4" />
    </svg>
  `;
}

function spending({ spent, limits }: KeyReport, period: typeof PERIODS[number]): Html {
  const budget = limits.budget?.[period];
  if (budget === undefined) return html`<td class="num">${dollars(spent[period])}</td>`;
  const share = budget > 0 ? spent[period] / budget : 1;
  return html`<td class="num">${dollars(spent[period])}<span class="sub">of ${
    dollars(budget)
  }</span>${meter(share)}</td>`;
}

function rates({ rpm, tpm, concurrent }: KeyReport["limits"]): string {
  const parts = [];
  if (rpm !== undefined) parts.push(`${count(rpm)} requests/min`);
  if (tpm !== undefined) parts.push(`${count(tpm)} tokens/min`);
  if (concurrent !== undefined) parts.push(`${count(concurrent)} at once`);
  return parts.join(", ");
}

function nameCell({ kind, name, team, prefix }: KeyReport): Html {
  if (kind === "all") return html`All keys`;
  if (kind === "team") return html`${name}<span class="sub">team</span>`;
  const details = [
    prefix === undefined ? "" : `${prefix}…`,
    team === undefined ? "" : `team ${team}`,
  ];
  return html`${name}<span class="sub">${details.filter((text) => text !== "").join(", ")}</span>`;
}

function stateCell({ kind, state }: KeyReport): Html {
  if (kind !== "key") return html`<span class="muted">–</span>`;
  return html`<span class="state ${state === "active" ? "good" : "muted"}">${state}</span>`;
}

function row(report: KeyReport): Html {
  return html`
    <tr><th scope="row">${nameCell(report)}</th>
    <td>${stateCell(report)}</td>
    ${PERIODS.map((period) => spending(report, period))}
    <td class="num">${count(report.requests)}</td>
    <td class="num">${count(report.inFlight)}</td>
    <td class="text">${rates(report.limits) || html`<span class="muted">none</span>`}</td></tr>
  `;
}

/** Renders the keys: first the whole gateway, then the teams, then the keys. */
export function keyTable({ keys }: GatewayStatus): Html {
  if (keys === null) {
    return empty("Virtual keys are off: everyone who reaches this gateway may call it.");
  }
  if (!keys.some(({ kind }) => kind === "key")) {
    return empty(html`No keys yet. Create one: <code>flexllm serve virtual-key create NAME</code>`);
  }
  const order = { all: 0, team: 1, key: 2 };
  const sorted = keys.toSorted((a, b) => order[a.kind] - order[b.kind]);
  const shown = table("Keys and spending", [
    { title: "Key" },
    { title: "State" },
    { title: "Today", isNumber: true },
    { title: "This month", isNumber: true },
    { title: "Total", isNumber: true },
    { title: "Requests today", isNumber: true },
    { title: "In flight", isNumber: true },
    { title: "Rate limits" },
  ], sorted.slice(0, MAX_ROWS).map(row));
  if (sorted.length <= MAX_ROWS) return shown;
  return html`${shown}<p class="note">${
    count(sorted.length - MAX_ROWS)
  } more in <a href="status">/status</a>.</p>`;
}
