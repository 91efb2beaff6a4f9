/**
 * Draws the requests of the last hour as bars.
 *
 * @module
 */
import { html } from "hono/html";
import type { TrafficMinute } from "../observe/traffic.ts";
import { count, timeOfDay } from "./format.ts";

/** The drawing's own units: it is stretched to the width of the page. */
const HEIGHT = 100;
const STEP = 10;
const BAR = 8;

/** The height of a bar; at least visible. */
function barHeight(value: number, peak: number): number {
  return value === 0 ? 0 : Math.max(1.5, Math.round(value / peak * HEIGHT * 10) / 10);
}

function bar({ at, requests, errors }: TrafficMinute, i: number, peak: number) {
  const all = barHeight(requests, peak);
  const failed = Math.min(all, barHeight(errors, peak));
  const x = i * STEP + (STEP - BAR) / 2;
  const title = `${timeOfDay(at)} UTC: ${count(requests)} requests, ${count(errors)} with errors`;
  return html`<g><title>${title}</title><rect class="hit" x="${
    i * STEP
  }" y="0" width="${STEP}" height="${HEIGHT}"/>${
    requests === 0 ? "" : html`
      <rect class="bar" x="${x}" y="${HEIGHT - all}" width="${BAR}" height="${all - failed}" />
    `
  }${
    errors === 0 ? "" : html`
      <rect class="bar error" x="${x}" y="${HEIGHT - failed}" width="${BAR}" height="${failed}" />
    `
  }</g>`;
}

/** Draws the traffic. */
export function trafficChart(minutes: readonly TrafficMinute[]) {
  let requests = 0;
  let errors = 0;
  let peak = 0;
  for (const minute of minutes) {
    requests += minute.requests;
    errors += minute.errors;
    peak = Math.max(peak, minute.requests);
  }
  if (requests === 0) return html`<p class="card empty">No requests in the last hour.</p>`;
  const summary = `${count(requests)} requests in the last hour, ${
    count(errors)
  } with errors; at most ${count(peak)} in a minute`;
  return html`
    <figure class="card">
      <div
        class="legend"><span>Requests</span><span class="error">With errors</span><span class="peak">Peak: ${count(
          peak,
        )} per minute</span></div>
      <svg role="img" aria-label="${summary}" viewBox="0 0 ${minutes.length * STEP} ${HEIGHT}"
        preserveAspectRatio="none">${minutes.map((minute, i) => bar(minute, i, peak))}</svg>
      <div class="axis"
        aria-hidden="true"><span>${timeOfDay(minutes[0].at)}</span><span>${timeOfDay(
          minutes[Math.floor(minutes.length / 2)].at,
        )}</span><span>${timeOfDay(minutes.at(-1)!.at)} UTC</span></div>
    </figure>
  `;
}
