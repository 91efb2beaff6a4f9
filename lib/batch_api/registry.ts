/**
 * Finds the batch API of an endpoint.
 *
 * @module
 */
import type { Endpoint, Protocol } from "../protocols/protocol.ts";
import type { BatchApi, BatchApiName } from "./batch_api.ts";
import { anthropicBatchApi } from "./anthropic/anthropic.ts";
import { fireworksBatchApi } from "./fireworks/fireworks.ts";
import { geminiBatchApi, isVertex } from "./gemini/gemini.ts";
import { mistralBatchApi } from "./mistral/mistral.ts";
import { openaiBatchApi } from "./openai/openai.ts";
import { openRouterBatchApi } from "./openrouter/openrouter.ts";
import { togetherBatchApi } from "./together/together.ts";
import { xaiBatchApi } from "./xai/xai.ts";

/** An API, for the wire formats whose requests its rows can be. */
interface Entry {
  /** Names of wire formats; see {@link Protocol.name}. */
  formats: readonly string[];
  /** Returns `undefined` if this address of the service has no batch API. */
  create(endpoint: Endpoint): BatchApi | undefined;
}

const APIS: Record<BatchApiName, Entry> = {
  openai: { formats: ["chat", "responses"], create: openaiBatchApi },
  mistral: { formats: ["chat"], create: mistralBatchApi },
  together: { formats: ["chat"], create: togetherBatchApi },
  anthropic: { formats: ["claude"], create: anthropicBatchApi },
  gemini: {
    formats: ["gemini"],
    create: (endpoint) => isVertex(endpoint) ? undefined : geminiBatchApi(endpoint),
  },
  // Explains by itself why it does not take requests of the Responses format.
  xai: { formats: ["chat", "responses"], create: xaiBatchApi },
  openrouter: { formats: ["chat", "responses", "claude"], create: openRouterBatchApi },
  fireworks: { formats: ["chat"], create: fireworksBatchApi },
};

/** The API that belongs to a wire format. */
const BY_FORMAT: Readonly<Record<string, BatchApiName>> = {
  chat: "openai",
  responses: "openai",
  claude: "anthropic",
  gemini: "gemini",
};

/**
 * The batch API at an endpoint, for requests in the wire format `protocol`; `undefined` if the service has
 * none. Servers that flexllm does not know are assumed to have the one that belongs to the wire format.
 */
export function batchApiOf(endpoint: Endpoint, protocol: Protocol): BatchApi | undefined {
  const name = endpoint.service?.batch ?? BY_FORMAT[protocol.name];
  if (name === undefined || name === "none") return undefined;
  const api = APIS[name];
  return api.formats.includes(protocol.name) ? api.create(endpoint) : undefined;
}
