/**
 * Encodes a request in the client's own format: the body is sent as it arrived, but for the model and what
 * the configuration of the endpoint adds.
 *
 * @module
 */
import { withExtraBody } from "../../../chat/extra_body.ts";
import type { EndpointClient } from "../../../client/endpoint_client.ts";
import { maxTokensOf, withoutLimits } from "../../../chat/max_tokens.ts";
import { asObject, type Json, parseExact, stringifyExact } from "../../../json/json.ts";
import { resourceName } from "../../../protocols/gemini/method_url.ts";
import { serviceFor } from "../../../protocols/service.ts";
import type { EncodedRequest } from "../../../transport/request.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import { GatewayError } from "../../gateway_error.ts";
import { headersToProvider } from "./client_headers.ts";
import { outputLimitFields } from "./output_limit_fields.ts";
import { renameModel, setField } from "../../../json/edit_fields.ts";

/** The parts of a call that a request is made of. */
export type NativeCall = Pick<
  GatewayCall,
  | "protocol"
  | "headers"
  | "query"
  | "text"
  | "body"
  | "model"
  | "stream"
  | "caller"
  | "outputLimit"
>;

/** Whether the body of a call can be sent to an endpoint in the client's format. */
export function isNative(
  { protocol }: Pick<GatewayCall, "protocol">,
  endpoint: EndpointClient,
): boolean {
  return protocol.rawRequest !== undefined && endpoint.connection.speaks(protocol);
}

/** The model of a call under the endpoint's name for it. */
export function modelAt(endpoint: EndpointClient, { model }: Pick<GatewayCall, "model">): string {
  return endpoint.model ?? model;
}

/**
 * Whether the request must ask for token counts that the client did not ask for: streams of Chat Completions
 * have none by default, and the caller's limits depend on them.
 */
export function requestsUsage(call: NativeCall, endpoint: EndpointClient): boolean {
  if (call.protocol.name !== "chat" || !call.stream || !call.caller.isMetered) return false;
  if (asObject(call.body.stream_options)?.include_usage === true) return false;
  const model = modelAt(endpoint, call);
  return serviceFor(endpoint.connection.endpoint, model).streamOptions !== false;
}

function streamOptions({ body }: NativeCall): Json {
  return { ...asObject(body.stream_options), include_usage: true };
}

/**
 * A body with the fields that the endpoint's configuration adds; the client's take precedence. Of the limits only
 * one is sent, whatever the names: services reject two, or take either.
 */
function withConfigured({ body, text }: NativeCall, extraBody: Json): Json {
  const own = parseExact(text) as Json;
  if (maxTokensOf({ extraBody: body }) !== undefined) {
    return withExtraBody(withoutLimits(extraBody), own)!;
  }
  // A client's "no limit" leaves it to the configuration.
  const isLimited = maxTokensOf({ extraBody }) !== undefined;
  return withExtraBody(extraBody, isLimited ? withoutLimits(own) : own)!;
}

/**
 * Fields in which services accept other models than that of the request. They would answer with a model that the
 * caller's key may not use, and for which no money is reserved.
 */
const OTHER_MODELS: Readonly<Record<string, string>> = { openrouter: "models" };

/** @throws {GatewayError} 400 if a request names further models */
function refuseOtherModels({ body }: NativeCall, endpoint: EndpointClient, model: string): void {
  const field = OTHER_MODELS[serviceFor(endpoint.connection.endpoint, model).name];
  if (field === undefined || body[field] === undefined || body[field] === null) return;
  throw new GatewayError(400, `"${field}" names models besides that of the request`, {
    reason: "unsupported",
    param: field,
    hint: "Leave it out: the gateway's routes decide which models answer.",
  });
}

function encodeBody(call: NativeCall, endpoint: EndpointClient, model: string): string {
  const isGemini = call.protocol.name === "gemini";
  // Gemini's model is in the URL. Bodies that name it as well must agree.
  const name = isGemini ? resourceName(model) : model;
  const addsUsage = requestsUsage(call, endpoint);
  const { extraBody } = endpoint.connection;
  if (extraBody !== undefined) {
    const body = withConfigured(call, extraBody);
    Object.assign(body, outputLimitFields(call, endpoint, model, body));
    if (addsUsage) body.stream_options = streamOptions(call);
    if (!isGemini || call.body.model !== undefined) body.model = name;
    return stringifyExact(body);
  }
  // The rest of Gemini's options is written again, with all digits of its numbers.
  const isRewritten = isGemini && call.outputLimit !== undefined;
  const body = isRewritten ? parseExact(call.text) as Json : call.body;
  const changes = outputLimitFields(call, endpoint, model, body);
  let text = renameModel(call.text, name);
  for (const field in changes) text = setField(text, field, stringifyExact(changes[field] as Json));
  return addsUsage ? setField(text, "stream_options", JSON.stringify(streamOptions(call))) : text;
}

/** Encodes a call for an endpoint that {@link isNative}; `undefined` if its API lacks completions. */
export function nativeRequest(
  call: NativeCall,
  endpoint: EndpointClient,
): EncodedRequest | undefined {
  const { protocol, headers, query, stream } = call;
  const model = modelAt(endpoint, call);
  refuseOtherModels(call, endpoint, model);
  const raw = protocol.rawRequest?.(
    endpoint.connection.endpoint,
    { operation: "chat", model, stream, headers, query },
  );
  return raw && {
    url: raw.url,
    headers: Object.assign(headersToProvider(call, endpoint.name, model), raw.headers),
    body: encodeBody(call, endpoint, model),
  };
}
