/**
 * Renders the status of a gateway as a page that works without scripts and without other files.
 *
 * @module
 */
import { html, raw } from "hono/html";
import type { GatewayStatus } from "../status.ts";
import { endpointTable, routeTable } from "./endpoint_tables.ts";
import { errorTable } from "./error_table.ts";
import { compact, count, dateAndTime, dollars, longTime } from "./format.ts";
import { keyTable } from "./key_table.ts";
import { STYLE_SOURCE, STYLES } from "./styles.ts";
import type { Html } from "./table.ts";
import { trafficChart } from "./traffic_chart.ts";

/** Seconds until the page loads itself again. */
const REFRESH = 10;

const ICON = "data:image/svg+xml," + encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#2f5fd0"/>' +
    '<path d="M4 5h8M4 8h5M4 11h8" stroke="#fff" stroke-width="1.6" stroke-linecap="round"/></svg>',
);

/** Headers of the page: it loads nothing, runs nothing, and is not shown inside other pages. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": `default-src 'none'; style-src ${STYLE_SOURCE}; img-src data:; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
};

/** The state of the gateway in a few words. */
function overallState(status: GatewayStatus): { text: string; style: "good" | "warn" | "bad" } {
  const { draining, ready, reason, inFlight, endpoints, store } = status;
  if (draining) {
    const rest = inFlight === 0 ? "nothing in flight" : `${count(inFlight)} in flight`;
    return { text: `Draining, ${rest}`, style: "warn" };
  }
  if (!ready) {
    return { text: reason === undefined ? "Not ready" : `Not ready: ${reason}`, style: "bad" };
  }
  if (store?.up === false) {
    return { text: `Serving, Redis down for ${longTime(store.downFor)}`, style: "warn" };
  }
  const down = endpoints.filter(({ state }) => state === "down" || state === "probing").length;
  if (down === 0) return { text: "Serving", style: "good" };
  return {
    text: `Serving, ${count(down)} of ${count(endpoints.length)} endpoints down`,
    style: "warn",
  };
}

/** The gateways that share limits with this one. */
function describeStore({ store }: GatewayStatus): string {
  if (store === undefined) return "";
  const { gateways, address } = store;
  const sharing = gateways === 1 ? "the only gateway" : `one of ${count(gateways)} gateways`;
  return `; ${sharing} at ${address}`;
}

function stat(title: string, value: string, note = ""): Html {
  return html`
    <div>
      <dt>${title}</dt>
      <dd>${value}${note && html`<span class="note">${note}</span>`}</dd>
    </div>
  `;
}

function percent(part: number, whole: number): string {
  if (whole === 0) return "";
  const share = part / whole * 100;
  return `${share > 0 && share < 1 ? share.toFixed(1) : Math.round(share)}%`;
}

function stats({ totals, inFlight, queued }: GatewayStatus): Html {
  const { requests, errors, aborted, cacheHits, promptTokens, completionTokens, cost } = totals;
  const left = aborted === 0 ? "" : `${compact(aborted)} left by clients`;
  return html`<dl class="stats card">
${stat("In flight", count(inFlight), queued === 0 ? "none queued" : `${count(queued)} queued`)}${
    stat("Requests", compact(requests), left)
  }${stat("Errors", compact(errors), percent(errors, requests))}${
    stat("From cache", compact(cacheHits), percent(cacheHits, requests))
  }${stat("Tokens in", compact(promptTokens))}${stat("Tokens out", compact(completionTokens))}${
    stat("Cost", dollars(cost), "as far as known")
  }</dl>`;
}

/**
 * Renders the page.
 *
 * @param options `refresh`: whether it loads itself again after some seconds
 */
export async function statusPage(
  status: GatewayStatus,
  { refresh }: { refresh: boolean },
): Promise<string> {
  const { text, style } = overallState(status);
  const now = Date.parse(status.startedAt) + status.uptime * 1000;
  const page = html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    ${refresh ? html`<meta http-equiv="refresh" content="${REFRESH}">` : ""}
    <meta name="robots" content="noindex">
    <title>${text} – flexllm</title>
    <link rel="icon" href="${ICON}">
    <style>${raw(STYLES)}</style>
      </head>
      <body>
        <div class="wrap">
          <header>
            <div>
              <h1>flexllm gateway</h1>
              <p class="note">Version ${status.version} on ${status.runtime}, up for ${longTime(
                status.uptime,
              )}${describeStore(status)}</p>
            </div>
            <p class="state ${style}" role="status">${text}</p>
          </header>
          <main>
            <section aria-label="Totals since the start">${stats(status)}</section>
            <section><h2>Traffic <span class="note">last hour, per minute</span></h2>
    ${trafficChart(status.traffic)}</section>
            <section><h2>Endpoints</h2>
    ${endpointTable(status)}</section>
            <section><h2>Models</h2>
    ${routeTable(status)}</section>
            <section><h2>Keys and spending <span class="note">days and months are UTC</span></h2>
    ${keyTable(status)}</section>
            <section><h2>Recent errors</h2>
    ${errorTable(status)}</section>
          </main>
          <footer><span>As of ${dateAndTime(now)} UTC</span>${refresh
            ? html`<span>Reloads every ${REFRESH} s. <a href="?refresh=off">Stop reloading</a></span>`
            : html`<span><a href="./">Reload every ${REFRESH} s</a></span>`}<span><a href="status">Status as JSON</a></span><span><a href="metrics">Metrics</a></span></footer>
        </div>
      </body>
    </html>
  `;
  return String(await page);
}
