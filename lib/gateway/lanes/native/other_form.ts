/**
 * Answers a client in the form that it asked for if the server chose the other one: a stream instead of a
 * whole answer, or the reverse.
 *
 * @module
 */
import { eventsOf } from "../../../chat/events.ts";
import type { Completion } from "../../../protocols/protocol.ts";
import type { ResponseHead, ServerEvent } from "../../../protocols/serve.ts";
import type { GatewayCall } from "../../gateway_call.ts";

function headOf({ id, model }: GatewayCall, completion: Completion): ResponseHead {
  return { id, model: completion.model || model, created: Math.floor(Date.now() / 1000) };
}

/** Encodes an answer that was streamed as a whole one. */
export function streamAsWhole(call: GatewayCall, completion: Completion): string {
  const { usage, ...choice } = completion;
  const response = { ...headOf(call, completion), choices: [choice] as const, usage };
  return JSON.stringify(call.server.encodeResponse(response, call.request));
}

/** Encodes a whole answer as the events of a stream. */
export function wholeAsStream(call: GatewayCall, completion: Completion): ServerEvent[] {
  const encoder = call.server.streamEncoder(headOf(call, completion), call.request);
  return [...encoder.push(eventsOf(completion)), ...encoder.end()];
}
