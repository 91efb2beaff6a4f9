/**
 * Adds the trace context to requests, so that the spans of the server become children of the attempts.
 *
 * @module
 */
import { requestsAreTraced } from "../runtime/request_tracing.ts";
import { activeContext, registeredApi, spanOf } from "./global_api.ts";

const SETTER = {
  set(headers: Record<string, string>, name: string, value: string) {
    headers[name] = value;
  },
};

/** `headers` with the context of the active span, as the application's propagator writes it, if something is traced. */
export function withTraceContext(headers: Record<string, string>): Record<string, string> {
  const api = registeredApi();
  if (api === undefined) return headers;
  const context = activeContext(api);
  if (spanOf(context) === undefined) return headers;
  const traced: Record<string, string> = {};
  for (const name in headers) {
    // The gateway forwards these from its client, whose span is no longer the parent.
    if (!/^(traceparent|tracestate)$/i.test(name)) traced[name] = headers[name];
  }
  // Two `traceparent` headers would both be invalid.
  if (!requestsAreTraced(api.trace)) api.propagation?.inject(context, traced, SETTER);
  return traced;
}
