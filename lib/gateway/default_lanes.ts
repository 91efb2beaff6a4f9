/**
 * Chooses lanes by the format that an endpoint speaks, and endpoints by the history of a conversation.
 *
 * @module
 */
import type { EndpointClient } from "../client/endpoint_client.ts";
import { ENVELOPE_PREFIX, envelopeOrigin, readEnvelope } from "../protocols/envelope.ts";
import type { GatewayCall } from "./gateway_call.ts";
import type { GatewayLanes } from "./gateway_lanes.ts";
import { isNative, nativeLane } from "./lanes/native/native_lane.ts";
import { translatedLane } from "./lanes/translated/translated.ts";
import type { RouteTarget } from "./http/gateway_host.ts";
import { sessionOf } from "./session.ts";

/** The endpoint that wrote the last envelope in a history. */
function signerOf(
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

/** The lanes of every gateway. */
export const DEFAULT_LANES: GatewayLanes = {
  laneOf: (call, endpoint) => isNative(call, endpoint) ? nativeLane : translatedLane,
  sessionOf,
  signerOf,
};
