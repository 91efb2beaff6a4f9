/**
 * Encodes the event that ends a stream with an error.
 *
 * @module
 */
import type { FlexLLMError } from "../../../errors.ts";
import type { ServerEvent } from "../../../protocols/serve.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import { serverError } from "../../http/error_response.ts";

/** The event that reports `error` in the format of the client. */
export function errorEvent(
  { server, id }: Pick<GatewayCall, "server" | "id">,
  error: FlexLLMError,
): ServerEvent {
  const failure = serverError(error);
  return server.encodeStreamError?.(failure, id) ??
    { data: JSON.stringify(server.encodeError(failure, id).body) };
}
