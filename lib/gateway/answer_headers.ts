/**
 * Collects what the headers of an answer report.
 *
 * @module
 */
import type { RateStates } from "./access.ts";
import type { CallFlow } from "./call_flow.ts";
import { responseHeaders, streamHeaders } from "./http/response_headers.ts";

/**
 * The headers of a whole answer.
 *
 * @param cost USD; `undefined` for an error
 * @param limits those that refused the call
 */
export function answerHeaders(
  { call, record, admission }: CallFlow,
  cost: number | null | undefined,
  limits?: RateStates,
): Record<string, string> {
  const { endpoint } = record;
  return responseHeaders(call.server, {
    id: call.id,
    route: record.route,
    endpoint: endpoint && (endpoint.routeName ?? endpoint.name),
    model: record.model,
    attempts: record.attempts,
    fallbacks: record.fallbacks,
    cache: record.cache,
    cost,
    overhead: record.overhead,
    dropped: call.dropped,
    outputLimit: call.outputLimit,
    admission,
    limits,
  });
}

/** The headers of a stream. */
export function openingHeaders(flow: CallFlow): Record<string, string> {
  const { framing } = flow.call.context;
  const headers = answerHeaders(flow, undefined);
  Object.assign(headers, flow.streamHeaders);
  return streamHeaders(headers, framing?.contentType ?? "text/event-stream");
}
