/**
 * Traces the calls of a gateway to its endpoints.
 *
 * @module
 */
import type { EndpointClient } from "../../client/endpoint_client.ts";
import { HttpError } from "../../http_errors.ts";
import { redact } from "../../redact.ts";
import type { AttemptStart } from "../../telemetry/attempt_trace.ts";
import { type CallAnswer, type CallRequest, CallTrace } from "../../telemetry/call_trace.ts";
import { activeTelemetry } from "../../telemetry/telemetry.ts";
import { failureFacts } from "../../client/failure_facts.ts";
import type { GatewayFacts } from "../gateway_facts.ts";
import type { HttpCall } from "../http/http_call.ts";
import type { NamedRoute } from "../http/gateway_host.ts";

/** Starts the span of a call; `undefined` if nothing listens. */
export function startTrace(
  call: Pick<HttpCall, "stream">,
  { targets: [{ endpoint, model }] }: NamedRoute,
  operation: "chat" | "embeddings" = "chat",
): CallTrace | undefined {
  const telemetry = activeTelemetry();
  if (telemetry === undefined) return undefined;
  const { stream } = call;
  return new CallTrace(telemetry, { operation, endpoint: endpoint.identity, model, stream });
}

/** Runs an attempt within a span of its own. */
export async function traceAttempt<R>(
  trace: CallTrace,
  target: EndpointClient,
  start: Pick<AttemptStart, "attempt" | "model">,
  attempt: () => Promise<R>,
): Promise<R> {
  const span = trace.attempt({ ...start, endpoint: target.identity });
  try {
    const result = await span.run(attempt);
    span.end({ status: 200, outcome: "success" });
    return result;
  } catch (error) {
    const status = error instanceof HttpError ? error.status : undefined;
    span.end({ status, ...failureFacts(error, target.secrets) });
    throw error;
  }
}

/** What a client sent; `undefined` if its body does not fit the format, which only some lanes need. */
function requestOf(call: HttpCall): CallRequest | undefined {
  try {
    const { chat: { messages, options }, choices } = call.request;
    return { messages, options, choices };
  } catch {
    return undefined;
  }
}

/**
 * Ends the span of a call.
 *
 * @param call what the client sent; `undefined` for embeddings, which have no messages
 */
export function endTrace(
  trace: CallTrace,
  call: HttpCall | undefined,
  { targets }: NamedRoute,
  facts: GatewayFacts,
  answer: CallAnswer = {},
): void {
  const model = facts.model ?? targets[0].model;
  const secrets = targets.flatMap(({ endpoint }) => endpoint.secrets);
  trace.end(
    {
      ...facts,
      model,
      cached: facts.cache === "hit",
      redact: (text) => redact(text, ...secrets),
    },
    () => call && requestOf(call),
    () => answer,
  );
}
