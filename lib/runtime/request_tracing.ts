/**
 * Finds out whether the requests of this process are traced without our help.
 *
 * @module
 */
import diagnostics from "node:diagnostics_channel";
import { globals } from "./globals.ts";

/**
 * Whether `fetch` has spans of its own and sends their context, if spans go to `provider`: in Deno's own tracing
 * (`OTEL_DENO=true`), and on Node with the instrumentation of undici, which subscribes to this channel.
 */
export function requestsAreTraced(provider: unknown): boolean {
  const { Bun, Deno } = globals;
  if (Deno !== undefined) {
    return provider !== undefined && Deno.telemetry?.tracerProvider === provider;
  }
  return Bun === undefined && diagnostics.hasSubscribers("undici:request:create");
}
