/**
 * Counts the tokens of a request: at the endpoint if it speaks the client's format, else by an estimate. Costs
 * nothing and counts towards no limit.
 *
 * @module
 */
import type { EndpointClient } from "../../client/endpoint_client.ts";
import { AbortedError } from "../../errors.ts";
import { asObject, tryParse } from "../../json/json.ts";
import { promptSize, textSize } from "../../pricing/token_estimate.ts";
import { send } from "../../transport/http.ts";
import { renameModel } from "../../json/edit_fields.ts";
import type { NamedRoute, RouteTarget } from "./gateway_host.ts";
import type { HttpCall } from "./http_call.ts";

/** Seconds for the endpoint's answer: clients wait for it before they send the request itself. */
const TIMEOUT = 10;

/** Statuses of servers that do not have the operation. */
const MISSING: ReadonlySet<number> = new Set([404, 405, 501]);

/** Endpoints that turned out not to count tokens. */
const withoutCount = new WeakSet<EndpointClient>();

/** The text of the endpoint's own answer; `undefined` if it has none. */
async function countAt(call: HttpCall, target: RouteTarget): Promise<string | undefined> {
  const { endpoint, model } = target;
  const { protocol, headers, query, signal } = call;
  const { connection } = endpoint;
  if (withoutCount.has(endpoint) || !connection.speaks(protocol)) return undefined;
  const raw = { operation: "count_tokens", model, headers, query } as const;
  const address = protocol.rawRequest?.(connection.endpoint, raw);
  if (address === undefined) return undefined;
  // Gemini's clients may name the model inside of the request that is to be counted.
  const text = call.context.model === undefined
    ? renameModel(call.text, model)
    : geminiBody(call, model);
  try {
    const answer = await send({ ...address, body: text }, connection.fetch, {
      timeout: TIMEOUT,
      signal,
    });
    if (MISSING.has(answer.status)) withoutCount.add(endpoint);
    const isCount = answer.status < 300 && asObject(tryParse(answer.body)) !== undefined;
    return isCount ? answer.body : undefined;
  } catch (error) {
    if (error instanceof AbortedError) throw error;
    return undefined;
  }
}

function geminiBody({ body, text }: HttpCall, model: string): string {
  const whole = asObject(body.generateContentRequest);
  if (whole === undefined) return text;
  const name = model.includes("/") ? model : `models/${model}`;
  return JSON.stringify({ ...body, generateContentRequest: { ...whole, model: name } });
}

/** An estimate of all input tokens: the system prompt, tools, images and files included. */
function estimate(call: HttpCall): number {
  try {
    const { messages, options } = call.request.chat;
    return Math.ceil(promptSize(messages, options));
  } catch {
    // What cannot be decoded can still be counted.
    return Math.ceil(textSize(call.text));
  }
}

/** The body of the answer to a request for a token count. */
export async function countTokens(call: HttpCall, route: NamedRoute): Promise<string> {
  for (const target of route.targets) {
    const counted = await countAt(call, target);
    if (counted !== undefined) return counted;
  }
  return JSON.stringify(call.server.encodeTokenCount!(estimate(call)));
}
