/**
 * Reads a call from an HTTP request.
 *
 * @module
 */
import type { RequestContext } from "../../protocols/serve.ts";
import type { Caller } from "../access.ts";
import type { Arrival } from "./arrival.ts";
import type { ServedFormat } from "../../protocols/servers.ts";
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
