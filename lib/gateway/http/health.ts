/**
 * Answers health checks. They never call a model: that would cost money.
 *
 * @module
 */
import type { GatewayHost } from "./gateway_host.ts";

/** Seconds after which a load balancer may ask again. */
const RETRY_AFTER = "5";

function json(status: number, body: object): Response {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "cache-control": "no-store",
  };
  if (status !== 200) headers["retry-after"] = RETRY_AFTER;
  return new Response(JSON.stringify(body), { status, headers });
}

/** Answers whether the process is alive, or ready for calls: not while it is draining or no endpoint is up. */
export function healthResponse(
  kind: "live" | "ready",
  { readiness }: Pick<GatewayHost, "readiness">,
): Response {
  if (kind === "live") return json(200, { status: "ok" });
  const { ready, reason, store } = readiness;
  return ready ? json(200, { status: "ok", store }) : json(503, { status: reason, store });
}
