/**
 * Renders the most recent failed requests as a table.
 *
 * @module
 */
import { html } from "hono/html";
import type { RecentError } from "../observe/recent_errors.ts";
import type { GatewayStatus } from "../status.ts";
import { count, dateAndTime, visible } from "./format.ts";
import { empty, type Html, table } from "./table.ts";

/** Maximum number of rows; `/status` has all. */
const MAX_ROWS = 25;

function row({ at, id, status, request, model, endpoint, key, message }: RecentError): Html {
  const time = dateAndTime(at);
  return html`
    <tr>
      <td class="time"><time datetime="${new Date(at).toISOString()}">${time}</time></td>
      <td class="num">${status ?? "–"}</td>
      <td class="text">${visible(model ?? request)}${endpoint &&
        html`<span class="sub">at ${endpoint}</span>`}</td>
      <td class="text">${key ?? html`<span class="muted">–</span>`}</td>
      <td class="wide">${visible(message)}<span class="sub">call ${id}</span></td>
    </tr>
  `;
}

/** Renders the errors, newest first. */
export function errorTable({ recentErrors }: GatewayStatus): Html {
  if (recentErrors.length === 0) return empty("No errors since the start.");
  const shown = table("Recent errors", [
    { title: "Time (UTC)" },
    { title: "Status", isNumber: true },
    { title: "Model" },
    { title: "Key" },
    { title: "Error" },
  ], recentErrors.slice(0, MAX_ROWS).map(row));
  if (recentErrors.length <= MAX_ROWS) return shown;
  return html`${shown}<p class="note">${
    count(recentErrors.length - MAX_ROWS)
  } earlier ones in <a href="status">/status</a>.</p>`;
}
