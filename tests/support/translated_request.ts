/** Translates requests of clients for endpoints of other formats, without sending them. */
import type { EndpointOptions } from "../../lib/client/client_options.ts";
import { EndpointClient } from "../../lib/client/endpoint_client.ts";
import type { GatewayCall } from "../../lib/gateway/gateway_call.ts";
import { GatewayError } from "../../lib/gateway/gateway_error.ts";
import { encodeTranslated } from "../../lib/gateway/lanes/translated/encode_translated.ts";
import type { Json } from "../../lib/json/json.ts";
import type { RequestContext, ServerRequest } from "../../lib/protocols/serve.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { EndpointLimits } from "../../lib/scheduling/endpoint_limits.ts";
import type { Format } from "./serve_formats.ts";

/** An endpoint of one model. */
export function endpointOf(options: EndpointOptions & { model: string }): EndpointClient {
  const limits = new EndpointLimits({
    concurrency: 1,
    maxQps: undefined,
    maxTpm: undefined,
    adaptive: false,
    failureThreshold: undefined,
    recoveryTime: undefined,
    random: () => 0.5,
  }, true);
  return new EndpointClient(options, limits, systemClock);
}

/** Endpoints of each format. */
export const ENDPOINTS = {
  openai: endpointOf({ provider: "openai", model: "gpt-5.1" }),
  vllm: endpointOf({ baseUrl: "http://127.0.0.1:8000/v1", model: "qwen" }),
  responses: endpointOf({ provider: "openai", api: "responses", model: "gpt-5.1" }),
  claude: endpointOf({ provider: "claude", model: "claude-opus-4-6" }),
  gemini: endpointOf({ provider: "gemini", model: "gemini-3-pro" }),
};

/** What became of a request. */
export interface Translated {
  /** The body for the endpoint. */
  body: Json;
  /** The fields that were left out, in order. */
  dropped: string[];
}

/** Makes the call of a client that sends `body`. */
export function callOf(
  { client, server }: Format,
  body: Json,
  headers: Record<string, string> = {},
): GatewayCall {
  const context: RequestContext = { operation: "chat", model: "route", stream: false };
  const normalized = server.normalize?.(body, context) ?? body;
  let request: ServerRequest | undefined;
  return {
    id: "call",
    protocol: client,
    server,
    context,
    headers: new Headers(headers),
    query: new URLSearchParams(),
    text: JSON.stringify(body),
    body,
    model: "route",
    stream: body.stream === true,
    signal: new AbortController().signal,
    caller: {} as GatewayCall["caller"],
    get request() {
      return request ??= server.decodeRequest(normalized, context);
    },
    dropped: new Set(),
  };
}

/** Translates a request in the format `from` for `endpoint`. */
export function translate(
  from: Format,
  body: Json,
  endpoint: EndpointClient,
  headers?: Record<string, string>,
): Translated {
  const call = callOf(from, body, headers);
  const { encoded } = encodeTranslated(call, endpoint);
  return { body: JSON.parse(String(encoded.body)), dropped: [...call.dropped].sort() };
}

/** The field that the gateway names when it refuses a request; throws if it accepts it. */
export function refusedField(
  from: Format,
  body: Json,
  endpoint: EndpointClient,
): string | undefined {
  try {
    translate(from, body, endpoint);
  } catch (error) {
    if (error instanceof GatewayError && error.status === 400) return error.param;
    throw error;
  }
  throw new Error("the request was accepted");
}
