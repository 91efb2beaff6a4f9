/**
 * Refuses what provider batches cannot do, with errors that name it.
 *
 * @module
 */
import type { ChatOptions } from "../chat/options.ts";
import { ConfigurationError } from "../errors.ts";
import type { EndpointClient } from "./endpoint_client.ts";

/** The services whose batch APIs flexllm supports, as they spell their names. */
const SERVICES =
  "OpenAI, Azure OpenAI, Anthropic, Gemini, Mistral, Groq, Together, xAI, OpenRouter, " +
  "Fireworks, SiliconFlow, DashScope, Moonshot, Novita and Cerebras";

/** Servers that people run themselves; none of them has a batch API. */
const OWN_SERVERS: ReadonlySet<string> = new Set([
  "ollama",
  "vllm",
  "sglang",
  "llamacpp",
  "lmstudio",
]);

/** The error for a client with several endpoints. */
export function severalEndpoints(endpoints: readonly EndpointClient[]): ConfigurationError {
  const names = endpoints.map(({ name, model }) =>
    model === undefined ? name : `${model} at ${name}`
  );
  return new ConfigurationError(
    `a provider batch needs a single endpoint, but this model has ${endpoints.length}: ` +
      names.join(", "),
    {
      hint:
        "Choose one model at one server with -m, or send live requests (--via live, or remove " +
        "batch.via from the configuration).",
    },
  );
}

/** The error for a service without a batch API. */
export function noBatchApi({ name, connection }: EndpointClient): ConfigurationError {
  const { service } = connection.endpoint;
  if (service === undefined || OWN_SERVERS.has(service.name)) {
    return new ConfigurationError(`the server at ${name} has no batch API`, {
      hint:
        "Write the requests to files for vLLM's run-batch (--export DIR) and read its results " +
        "with --import, or send live requests (--via live).",
    });
  }
  return new ConfigurationError(
    `${service.name} at ${name} has no batch API that flexllm knows`,
    { hint: `Send live requests (--via live). Provider batches work with ${SERVICES}.` },
  );
}

/**
 * Checks that a batch can have these options.
 *
 * @throws {ConfigurationError} if it cannot
 */
export function checkBatchable({ schemaRetries = 0, extraBody }: ChatOptions): void {
  if (schemaRetries > 0) {
    throw new ConfigurationError("schemaRetries: not supported in provider batches", {
      hint:
        "A retry needs the answer first, which takes hours in a batch. Remove it: a record whose answer " +
        "does not match the schema fails, and the next run sends it again.",
    });
  }
  if (extraBody?.stream !== undefined && extraBody.stream !== false) {
    throw new ConfigurationError("stream: not supported in provider batches", {
      hint: 'Remove "stream" from extra_body.',
    });
  }
}
