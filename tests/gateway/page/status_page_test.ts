/** The status page: what it shows, and that nothing on it can come from or go to elsewhere. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { Hono } from "hono";
import type { ObservedGateway } from "../../../lib/gateway/observe/observed_gateway.ts";
import { GatewayMonitor } from "../../../lib/gateway/observe/gateway_monitor.ts";
import { operationHandlers } from "../../../lib/gateway/observe/operation_handlers.ts";
import { FlexLLMError } from "../../../lib/errors.ts";
import { STYLES } from "../../../lib/gateway/page/styles.ts";
import {
  endpointReport,
  gatewayFacts,
  keyReport,
  NOON,
  observedGateway,
} from "../../support/gateway_facts.ts";

const ATTACK = `"><script>alert(1)</script><img src=x onerror='alert(1)'>&amp;`;

function serve(changes: Partial<ObservedGateway> = {}) {
  let now = NOON;
  const monitor = new GatewayMonitor(observedGateway(changes), { now: () => now });
  now += 3 * 3_600_000;
  const app = new Hono();
  for (const [path, handler] of Object.entries(operationHandlers(monitor))) app.get(path, handler);
  const get = (path = "/", accept = "text/html,*/*;q=0.8") =>
    app.request(path, { headers: { accept } });
  return { monitor, get, html: async () => await (await get()).text() };
}

/** The text of a page, without tags. */
function textOf(html: string): string {
  return html.replace(/<style>.*<\/style>/s, "").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
}

const EMPTY_ELEMENTS = new Set(["meta", "link"]);

/** Checks that every element is closed in its place, and returns the attributes of all. */
function checkMarkup(html: string): string[] {
  const open: string[] = [];
  const attributes: string[] = [];
  const body = html.replace(/<style>.*<\/style>/s, "").replace(/^<!DOCTYPE html>/, "");
  for (const [, end, name, rest] of body.matchAll(/<(\/?)([a-z]\w*)((?:\s[^<>]*)?)>/g)) {
    if (end === "/") assert.equal(open.pop(), name);
    else if (!rest.endsWith("/") && !EMPTY_ELEMENTS.has(name)) open.push(name);
    for (const [, attribute] of rest.matchAll(/\s([\w-]+)(?==|\s|$)/g)) attributes.push(attribute);
  }
  assert.deepEqual(open, []);
  assert.equal(body.match(/</g)?.length, body.match(/>/g)?.length);
  return attributes;
}

Deno.test("shows endpoints, models, keys, traffic and errors", async () => {
  const { monitor, html } = serve({
    inFlight: 7,
    queued: 3,
    endpoints: [
      endpointReport(),
      endpointReport({
        name: "claude",
        state: "down",
        retryIn: 41.2,
        lastError: new FlexLLMError("connection", "connection refused"),
      }),
    ],
    keys: [
      keyReport({ limits: { budget: { month: 20 }, rpm: 60 }, team: "research" }),
      keyReport({ kind: "all", name: "", spent: { day: 1, month: 2, total: 1234.5 } }),
      keyReport({ name: "bob", state: "expired" }),
    ],
  });
  for (let i = 0; i < 40; i++) {
    monitor.observe(
      gatewayFacts({ id: `c${i}`, outcome: "error", status: 502, error: `problem ${i}` }),
    );
  }
  const page = await html();
  const text = textOf(page);
  checkMarkup(page);
  for (
    const expected of [
      "Serving, 1 of 2 endpoints down",
      "up for 3 h",
      "In flight 7 3 queued",
      "Requests 40",
      "Errors 40 100%",
      "claude qwen at http://gpu1:8000/v1 down next request in 42 s",
      "connection refused",
      "fast gpu1",
      "All keys – $1.00 $2.00 $1,234.50",
      "alice sk-flex-a1b2…, team research active $0.50 $12.25 of $20.00 $80.00 42 1 60 requests/min",
      "bob sk-flex-a1b2… expired",
      "2026-11-27 15:00:00 502 fast at gpu1 – problem 39 call c39",
      "15 earlier ones in /status",
      "As of 2026-11-27 15:00:00 UTC",
    ]
  ) assert.ok(text.includes(expected), `${expected}\n${text}`);
  assert.ok(text.indexOf("All keys") < text.indexOf("alice"));
  assert.match(
    page,
    /aria-label="40 requests in the last hour, 40 with errors; at most 40 in a minute"/,
  );
});

Deno.test("every table can be read aloud and with keys", async () => {
  const { monitor, html } = serve({ keys: [keyReport()] });
  monitor.observe(gatewayFacts({ outcome: "error" }));
  const page = await html();
  const tables = page.match(/<table>.*?<\/table>/gs) ?? [];
  assert.equal(tables.length, 4);
  for (const table of tables) {
    assert.match(table, /<caption>\S/);
    const headers = [...table.matchAll(/<th scope="col"/g)].length;
    for (const [, row] of table.matchAll(/<tr>(?!<th scope="col")(.*?)<\/tr>/gs)) {
      assert.equal([...row.matchAll(/<t[dh]\b/g)].length, headers);
    }
    assert.doesNotMatch(table, /<th(?! scope=)[ >]/);
  }
  assert.equal([...page.matchAll(/role="region" tabindex="0" aria-label="\S/g)].length, 4);
});

Deno.test("text of clients, providers and configurations stays text", async () => {
  const { monitor, html } = serve({
    endpoints: [endpointReport({
      name: ATTACK,
      endpoint: ATTACK,
      model: ATTACK,
      lastError: new FlexLLMError("http", ATTACK),
    })],
    routes: [{ name: ATTACK, targets: [ATTACK, ATTACK], loadBalance: "weighted", sticky: true }],
    keys: [keyReport({ name: ATTACK, team: ATTACK, prefix: ATTACK })],
  });
  const texts = {
    id: ATTACK,
    error: ATTACK,
    requestedModel: ATTACK,
    endpoint: ATTACK,
    key: ATTACK,
  };
  monitor.observe(gatewayFacts({ ...texts, outcome: "error" }));
  const page = await html();
  const attributes = checkMarkup(page);
  assert.doesNotMatch(page, /<script|<img/i);
  assert.ok(page.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
  assert.deepEqual(attributes.filter((name) => name === "style" || name.startsWith("on")), []);
});

Deno.test("errors show no control characters and no changes of direction", async () => {
  const { monitor, html } = serve();
  const text = "a\u0000\u001b[31m\u009b\u202eb";
  monitor.observe(gatewayFacts({ error: text, requestedModel: text, outcome: "error" }));
  const page = await html();
  assert.doesNotMatch(page, /[^\P{Cc}\n]|\u202e/u);
  assert.equal(page.split("a\ufffd\ufffd[31m\ufffd\ufffdb").length, 3);
});

Deno.test("the page may load and run nothing, and only its own styles apply", async () => {
  const { get } = serve();
  const response = await get();
  const { headers } = response;
  const page = await response.text();
  const policy = headers.get("content-security-policy") ?? "";
  const directives = new Map(
    policy.split("; ").map((part) => [part.split(" ")[0], part.slice(part.indexOf(" ") + 1)]),
  );
  assert.equal(directives.get("default-src"), "'none'");
  assert.equal(directives.get("frame-ancestors"), "'none'");
  assert.equal(directives.get("form-action"), "'none'");
  assert.equal(directives.get("base-uri"), "'none'");
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const style = /<style>(.*)<\/style>/s.exec(page)![1];
  assert.equal(directives.get("style-src"), `'sha256-${hash("sha256", style, "base64")}'`);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("cache-control"), "no-store");
  const links = [...page.matchAll(/\b(?:href|src)="([^"]*)"/g)].map(([, link]) => link);
  assert.deepEqual(
    links.filter((link) => !/^(\.\/|\?|status$|metrics$|data:image\/svg)/.test(link)),
    [],
  );
});

Deno.test("empty tables say what to do", async () => {
  const none = { endpoints: [endpointReport({ answers: 0, latency: null })], inFlight: 0 };
  const text = textOf(await serve({ ...none, keys: [] }).html());
  assert.ok(text.includes("No keys yet. Create one: flexllm serve virtual-key create NAME"));
  assert.ok(text.includes("No requests in the last hour."));
  assert.ok(text.includes("No errors since the start."));
  const open = textOf(await serve(none).html());
  assert.ok(open.includes("Virtual keys are off"));
  checkMarkup(await serve({ ...none, routes: [], endpoints: [] }).html());
});

Deno.test("says when it is draining or no endpoint is up", async () => {
  const titleOf = async (changes: Partial<ObservedGateway>) =>
    /<title>(.*?) – flexllm<\/title>/.exec(await serve(changes).html())![1];
  assert.equal(await titleOf({}), "Serving");
  assert.equal(await titleOf({ isDraining: true }), "Draining, 2 in flight");
  assert.equal(await titleOf({ isDraining: true, inFlight: 0 }), "Draining, nothing in flight");
  const down = endpointReport({ state: "down", retryIn: 3 });
  assert.equal(await titleOf({ endpoints: [down] }), "Not ready: no endpoint is up");
});

Deno.test("of many keys, 200 are shown", async () => {
  const keys = Array.from({ length: 250 }, (_, i) => keyReport({ name: `user-${i}` }));
  const text = textOf(await serve({ keys }).html());
  assert.ok(text.includes("user-199") && !text.includes("user-200"));
  assert.ok(text.includes("50 more in /status"));
});

Deno.test("reloading can be stopped", async () => {
  const { get, html } = serve();
  assert.match(await html(), /<meta http-equiv="refresh" content="10"/);
  const stopped = await (await get("/?refresh=off")).text();
  assert.doesNotMatch(stopped, /http-equiv/);
  assert.match(stopped, /<a href="\.\/">Reload every 10 s<\/a>/);
});

Deno.test("programs get one line, the status as JSON and the metrics as text", async () => {
  const { get } = serve();
  for (const accept of ["*/*", "application/json"]) {
    const response = await get("/", accept);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
    assert.match(await response.text(), /^flexllm gateway.*\n$/);
  }
  const status = await get("/status");
  assert.equal((await status.json()).inFlight, 2);
  assert.equal(status.headers.get("cache-control"), "no-store");
  const metrics = await get("/metrics");
  assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.match(await metrics.text(), /^flexllm_in_flight_requests 2$/m);
});

/** The relative luminance of a color. Source: WCAG 2.2, "relative luminance". */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

Deno.test("text has a contrast of at least 4.5 in light and dark", () => {
  const schemes = [...STYLES.matchAll(/:root \{(.*?)\}/gs)].map(([, body]) =>
    Object.fromEntries(
      [...body.matchAll(/--(\w+): (#[\da-f]{6})/g)].map(([, name, color]) => [name, color]),
    )
  );
  assert.equal(schemes.length, 2);
  for (const scheme of schemes) {
    for (const text of ["text", "muted", "accent", "good", "warn", "bad"]) {
      for (const background of ["page", "card"]) {
        const [light, dark] = [luminance(scheme[text]), luminance(scheme[background])]
          .sort((a, b) => b - a);
        const contrast = (light + 0.05) / (dark + 0.05);
        assert.ok(contrast >= 4.5, `${text} on ${background}: ${contrast.toFixed(2)}`);
      }
    }
  }
});
