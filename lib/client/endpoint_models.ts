/**
 * Lists the models of a client's endpoints, within their limits.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import type { ModelInfo } from "../protocols/protocol.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { EndpointClient } from "./endpoint_client.ts";
import { listModels } from "./list_models.ts";
import { mergeModels } from "./merge_models.ts";

/**
 * Lists the models of all endpoints, including all pages.
 *
 * @param options `timeout` of each request, in seconds
 * @throws {FlexLLMError} if no endpoint could list its models
 */
export function modelsOf(
  endpoints: readonly EndpointClient[],
  scheduler: Scheduler<EndpointClient>,
  { timeout, signal }: { timeout: number; signal: AbortSignal },
): Promise<ModelInfo[]> {
  return mergeModels(endpoints.map((endpoint) =>
    listModels((cursor) => {
      const request = () => endpoint.modelPage(cursor, { timeout, signal });
      return scheduler.run(request, { signal, prepare: only(endpoint) });
    })
  ));
}

/** Prepares a request that only `endpoint` can take. */
function only(endpoint: EndpointClient): (target: EndpointClient) => number {
  return (target) => {
    if (target === endpoint) return 0;
    throw new ConfigurationError("this request is for another endpoint");
  };
}
