/** The gateway's status page in a real browser: narrow and wide, light and dark, with a keyboard. */
import assert from "node:assert/strict";
import { Hono } from "hono";
import { GatewayMonitor } from "../../lib/gateway/observe/gateway_monitor.ts";
import { operationHandlers } from "../../lib/gateway/observe/operation_handlers.ts";
import type { ObservedGateway } from "../../lib/gateway/observe/observed_gateway.ts";
import { FlexLLMError } from "../../lib/errors.ts";
import { serve } from "../../lib/runtime/http_server.ts";
import { BrowserPage, chromium } from "../support/chromium.ts";
import {
  endpointReport,
  gatewayFacts,
  keyReport,
  observedGateway,
} from "../support/gateway_facts.ts";

const LONG =
  "organization/a-very-long-model-name-without-any-space-Instruct-2511-AWQ-int4-0123456789";

const FULL: Partial<ObservedGateway> = {
  endpoints: [
    endpointReport({ name: LONG, model: LONG, endpoint: `https://example.org/${LONG}/v1` }),
    endpointReport({
      name: "gpu2",
      state: "down",
      retryIn: 40,
      lastError: new FlexLLMError("connection", `cannot connect to ${LONG}`),
    }),
  ],
  routes: [{ name: LONG, targets: [LONG, "gpu2"], loadBalance: "least_busy", sticky: true }],
  keys: Array.from({ length: 30 }, (_, i) =>
    keyReport({
      name: i === 3 ? LONG : `user-${i}`,
      team: "research",
      limits: { budget: { day: 2, month: 25 }, rpm: 60, tpm: 100_000, concurrent: 8 },
    })),
};

/** Serves the page of a gateway with this state, and 40 failed requests. */
async function startPage(changes: Partial<ObservedGateway>, errors = 0) {
  const monitor = new GatewayMonitor(observedGateway(changes));
  for (let i = 0; i < errors; i++) {
    monitor.observe(gatewayFacts({ outcome: "error", error: LONG, requestedModel: LONG }));
  }
  const app = new Hono();
  for (const [path, handler] of Object.entries(operationHandlers(monitor))) app.get(path, handler);
  const server = await serve("127.0.0.1", 0, (request) => app.fetch(request));
  return {
    url: `http://127.0.0.1:${server.port}/?refresh=off`,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

Deno.test({
  name: "the status page fits narrow and wide screens, in light and dark",
  ignore: chromium === undefined,
  async fn() {
    await using page = await BrowserPage.open();
    for (const changes of [FULL, { keys: [], endpoints: [] }, { isDraining: true }]) {
      await using served = await startPage(changes, changes === FULL ? 40 : 0);
      for (const width of [360, 1280]) {
        const backgrounds = [];
        for (const scheme of ["light", "dark"] as const) {
          await page.visit(served.url, width, scheme);
          assert.equal(await page.evaluate("document.documentElement.clientWidth"), width);
          // Tables scroll by themselves; the page does not.
          assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width);
          backgrounds.push(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
        }
        assert.deepEqual(backgrounds, ["rgb(247, 248, 250)", "rgb(16, 19, 24)"]);
      }
    }
    assert.deepEqual(page.complaints, []);
  },
});

Deno.test({
  name: "the status page can be read aloud and used with a keyboard",
  ignore: chromium === undefined,
  async fn() {
    await using page = await BrowserPage.open();
    await using served = await startPage(FULL, 3);
    await page.visit(served.url, 360, "light");
    const nodes = await page.accessible();
    const named = (wanted: string) =>
      nodes.filter(({ role }) => role === wanted).map(({ name }) => name);
    const tables = ["Endpoints", "Models", "Keys and spending", "Recent errors"];
    assert.deepEqual(named("table"), tables);
    assert.ok(named("columnheader").includes("This month"));
    assert.ok(named("rowheader").some((name) => name.startsWith("user-29")));
    assert.match(named("image")[0], /^3 requests in the last hour/);

    const focused = [];
    for (let i = 0; i < 7; i++) {
      await page.pressTab();
      focused.push(
        await page.evaluate(
          "document.activeElement.ariaLabel ?? document.activeElement.textContent",
        ),
      );
    }
    assert.deepEqual(focused, [...tables, "Reload every 10 s", "Status as JSON", "Metrics"]);
    // The focused region can be scrolled to its last column.
    const end = "(() => { const it = document.querySelector('.scroll'); it.scrollLeft = 9999; " +
      "return it.scrollLeft > 0; })()";
    assert.equal(await page.evaluate(end), true);
  },
});
