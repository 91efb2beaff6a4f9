/**
 * The errors of calls that end for reasons of their own: the client left, or the gateway stops.
 *
 * @module
 */
import { AbortedError, FlexLLMError } from "../errors.ts";
import { GatewayError } from "./gateway_error.ts";

/** The error of a call whose client has left. */
export function clientLeft(cause?: unknown): AbortedError {
  return new AbortedError("the client closed the connection", { cause });
}

/** The error of a call that a gateway refuses (`draining`) or ends (`stopping`) because it stops. */
export function gatewayStops(reason: "draining" | "stopping"): GatewayError {
  return new GatewayError(503, "the gateway is stopping", {
    reason,
    retryAfter: 5,
    hint: "Send the request again: another or the next instance answers it.",
  });
}

/** The error that ended a call: of a call that was aborted with an error, that one. */
export function endReason<E>(signal: AbortSignal, error: E): E | FlexLLMError {
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  return reason instanceof FlexLLMError ? reason : error;
}
