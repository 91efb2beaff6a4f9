/**
 * Answers requests for the metrics, the status and the page of a gateway. Access is checked before they are called.
 *
 * @module
 */
import type { AdminHandler } from "../http/gateway_host.ts";
import { gatewayStatus } from "../status.ts";
import type { GatewayMonitor } from "./gateway_monitor.ts";

/** The handlers of a gateway's reports, by path. */
export type OperationHandlers = Readonly<Record<"/" | "/status" | "/metrics", AdminHandler>>;

/** Headers of all reports: they change with each request, and contain nothing for other sites. */
const REPORT_HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Whether a client is a browser. Programs accept anything or JSON. */
function acceptsPage(accept: string | undefined): boolean {
  return accept !== undefined && /\btext\/html\b/i.test(accept);
}

/**
 * Creates the handlers: at `/` a page for browsers and one line for others, at `/status` the status as JSON, at
 * `/metrics` the metrics in the text format of Prometheus.
 */
export function operationHandlers(monitor: GatewayMonitor): OperationHandlers {
  return {
    async "/"(context) {
      if (!acceptsPage(context.req.header("accept"))) {
        const text = "flexllm gateway. Models: GET /v1/models. Status: GET /status.\n";
        return context.text(text, 200, { ...REPORT_HEADERS, vary: "Accept" });
      }
      // Most gateways are never looked at.
      const { statusPage, PAGE_HEADERS } = await import("../page/status_page.ts");
      const refresh = context.req.query("refresh") !== "off";
      const body = await statusPage(gatewayStatus(monitor), { refresh });
      return context.html(body, 200, { ...REPORT_HEADERS, ...PAGE_HEADERS, vary: "Accept" });
    },
    "/status": (context) => context.json(gatewayStatus(monitor), 200, REPORT_HEADERS),
    async "/metrics"(context) {
      const { text, contentType } = await monitor.metrics.read();
      return context.body(text, 200, { ...REPORT_HEADERS, "content-type": contentType });
    },
  };
}
