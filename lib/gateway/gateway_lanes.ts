/**
 * Defines how a gateway chooses the lane and the endpoint of a call.
 *
 * @module
 */
import type { EndpointClient } from "../client/endpoint_client.ts";
import type { GatewayCall } from "./gateway_call.ts";
import type { RouteTarget } from "./http/gateway_host.ts";
import type { Lane } from "./lane.ts";

/** Chooses the lane and the endpoint of calls. */
export interface GatewayLanes {
  /** The lane of a call at an endpoint: the native one if the endpoint speaks the client's format. */
  laneOf(call: GatewayCall, endpoint: EndpointClient): Lane;
  /** Identifies the conversation of a call; `undefined` if nothing does. */
  sessionOf(call: GatewayCall): string | undefined;
  /** The target that signed the last answer in the history of a call, if that is known. */
  signerOf(call: GatewayCall, targets: readonly RouteTarget[]): EndpointClient | undefined;
}
