/**
 * Finds the batch API of an endpoint.
 *
 * @module
 */
import type { Endpoint, Protocol } from "../protocols/protocol.ts";
import type { BatchApi } from "./batch_api.ts";

/**
 * The batch API at an endpoint, for requests in the wire format `protocol`; `undefined` if the service has
 * none. Servers that flexllm does not know are assumed to have the one that belongs to the wire format.
 */
export function batchApiOf(_endpoint: Endpoint, _protocol: Protocol): BatchApi | undefined {
  return undefined;
}
