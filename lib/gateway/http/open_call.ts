/**
 * Reads a call from an HTTP request.
 *
 * @module
 */
import type { RequestContext } from "../../protocols/serve.ts";
import type { Caller } from "../access.ts";
import { GatewayError } from "../gateway_error.ts";
import type { Arrival } from "./arrival.ts";
import type { ServedFormat } from "../../protocols/servers.ts";
import type { GatewayHost, NamedRoute } from "./gateway_host.ts";
import { HttpCall } from "./http_call.ts";
import { readBody } from "./read_body.ts";
import { parseRequestBody } from "./request_body.ts";
import { asChatBody, isResponsesBody } from "./responses_on_chat.ts";

/**
 * Reads the body of a call that `caller` makes.
 *
 * @throws {GatewayError} if the body is too large, no JSON object, or names no model
 */
export async function openCall(
  arrival: Arrival,
  format: ServedFormat,
  context: RequestContext,
  caller: Caller,
  maxBytes: number,
  isEmbedding = false,
): Promise<HttpCall> {
  const { request } = arrival;
  const { server, protocol } = format;
  const full = server.context === undefined ? context : { ...context, ...server.context(request) };
  const text = await readBody(request, maxBytes);
  const parsed = parseRequestBody(text, full);
  if (!isEmbedding && protocol.name === "chat" && isResponsesBody(parsed.body)) {
    return await openResponsesCall(arrival, format, full, caller, parsed);
  }
  return new HttpCall(arrival, format, full, caller, parsed);
}

async function openResponsesCall(
  arrival: Arrival,
  format: ServedFormat,
  context: RequestContext,
  caller: Caller,
  parsed: ReturnType<typeof parseRequestBody>,
): Promise<HttpCall> {
  const { body, dropped } = await asChatBody(parsed.body);
  const call = new HttpCall(arrival, format, context, caller, {
    ...parsed,
    text: JSON.stringify(body),
    body,
  });
  for (const name of dropped) call.dropped.add(name);
  return call;
}

/**
 * The route that a call asks for.
 *
 * @throws {GatewayError} 403 if the caller may not use it, 404 if there is none
 */
export function routeOf(
  host: Pick<GatewayHost, "route" | "similarRoute">,
  { model, caller }: Pick<HttpCall, "model" | "caller">,
): NamedRoute {
  if (!caller.mayUse(model)) {
    throw new GatewayError(403, `the key "${caller.name}" may not use the model "${model}"`, {
      reason: "model_not_allowed",
      param: "model",
      hint: "GET /v1/models lists the models of the key.",
    });
  }
  const route = host.route(model);
  if (route !== undefined) return route;
  const similar = host.similarRoute(model);
  const isOffered = similar !== undefined && caller.mayUse(similar);
  throw new GatewayError(404, `the model "${model}" does not exist`, {
    reason: "model_not_found",
    param: "model",
    hint: isOffered ? `Did you mean "${similar}"?` : "GET /v1/models lists the models.",
  });
}
