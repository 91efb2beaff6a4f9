/** Calls to a gateway and the endpoints that they go to, without a gateway. */
import { EndpointClient } from "../../lib/client/endpoint_client.ts";
import type { EndpointOptions } from "../../lib/client/client_options.ts";
import type { GatewayCall } from "../../lib/gateway/gateway_call.ts";
import type { Json } from "../../lib/json/json.ts";
import type { RequestContext } from "../../lib/protocols/serve.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import type { Format } from "./serve_formats.ts";

/** The parts of a call that a test sets. */
export interface CallOptions {
  headers?: Record<string, string>;
  query?: string;
  model?: string;
  stream?: boolean;
  isMetered?: boolean;
  context?: Partial<RequestContext>;
  caller?: string;
}

/** A call with the body `text`, which may also be given as an object. */
export function gatewayCall(
  { client, server }: Format,
  text: string | Json,
  options: CallOptions = {},
): GatewayCall {
  const written = typeof text === "string" ? text : JSON.stringify(text);
  const body = JSON.parse(written) as Json;
  const context: RequestContext = { operation: "chat", ...options.context };
  return {
    id: "test01",
    protocol: client,
    server,
    context,
    headers: new Headers(options.headers),
    query: new URLSearchParams(options.query),
    text: written,
    body,
    model: options.model ?? String(body.model),
    stream: options.stream ?? body.stream === true,
    signal: new AbortController().signal,
    caller: {
      id: options.caller ?? "key1",
      name: options.caller ?? "key1",
      isMetered: options.isMetered ?? false,
      mayUse: () => true,
    },
    get request() {
      return server.decodeRequest(server.normalize?.(body, context) ?? body, context);
    },
    dropped: new Set(),
  };
}

/** An endpoint that nothing is sent to. */
export function gatewayEndpoint(options: EndpointOptions & { model?: string }): EndpointClient {
  const limits = new EndpointLimits({
    concurrency: 10,
    maxQps: undefined,
    maxTpm: undefined,
    adaptive: false,
    failureThreshold: undefined,
    recoveryTime: undefined,
    random: () => 0.5,
  }, true);
  return new EndpointClient(options, limits, systemClock);
}
