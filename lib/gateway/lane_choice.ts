/**
 * Chooses the lane of a call by the format that an endpoint speaks, and finds the endpoint that signed its history.
 *
 * @module
 */
import type { EndpointClient } from "../client/endpoint_client.ts";
import { ENVELOPE_PREFIX, envelopeOrigin, readEnvelope } from "../protocols/envelope.ts";
import { hasUnsignedThinking } from "../protocols/unsigned_thinking.ts";
import type { GatewayCall } from "./gateway_call.ts";
import type { Lane } from "./lane.ts";
import { isNative, nativeLane } from "./lanes/native/native_lane.ts";
import { translatedLane } from "./lanes/translated/translated.ts";
import type { RouteTarget } from "./http/gateway_host.ts";

/** The endpoint that wrote the last envelope in a history. */
export function signerOf(
  { text }: GatewayCall,
  targets: readonly RouteTarget[],
): EndpointClient | undefined {
  const start = text.lastIndexOf(ENVELOPE_PREFIX);
  if (start < 0) return undefined;
  const end = text.indexOf('"', start);
  const origin = readEnvelope(text.slice(start, end < 0 ? undefined : end))?.origin;
  return targets.find(({ endpoint, model }) => envelopeOrigin(endpoint.name, model) === origin)
    ?.endpoint;
}

/**
 * The lane of a call at an endpoint: the native one if the endpoint speaks the client's format, unless earlier
 * answers came from a provider of another format: no provider accepts their envelopes or their thinking, which
 * has no signature.
 */
export function laneOf(call: GatewayCall, endpoint: EndpointClient): Lane {
  const isPure = !call.text.includes(ENVELOPE_PREFIX) &&
    !hasUnsignedThinking(call.protocol.name, call.text);
  return isPure && isNative(call, endpoint) ? nativeLane : translatedLane;
}
