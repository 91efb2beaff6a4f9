/**
 * Describes a request by the attributes of its span.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import { maxTokensOf } from "../chat/max_tokens.ts";
import type { SamplingOptions } from "../chat/options.ts";
import { NAME, PROVIDERS } from "./semantic_names.ts";

/** The endpoint of a request, as spans describe it. */
export interface EndpointIdentity {
  /** The value of `gen_ai.provider.name`. */
  readonly provider: string;
  /** The host. */
  readonly address: string;
  readonly port: number;
  /** The base URL without secrets. */
  readonly name: string;
}

/**
 * Identifies an endpoint.
 *
 * @param service the name of its service or its wire format, if it is known; others speak OpenAI's format
 * @param name its base URL without secrets
 */
export function endpointIdentity(service: string | undefined, name: string): EndpointIdentity {
  const { hostname, port, protocol } = new URL(name);
  const provider = service === undefined ? "openai" : PROVIDERS[service] ?? service;
  const address = hostname.replace(/^\[|\]$/g, "");
  return { provider, address, port: Number(port) || (protocol === "https:" ? 443 : 80), name };
}

/** The attributes that identify an endpoint and a model, on spans and metrics. */
export function modelAttributes(
  { provider, address, port }: EndpointIdentity,
  operation: string,
  model: string,
): Attributes {
  return {
    [NAME.operationName]: operation,
    [NAME.providerName]: provider,
    [NAME.requestModel]: model,
    [NAME.serverAddress]: address,
    [NAME.serverPort]: port,
  };
}

/** The attributes of the options of a request. */
export function requestAttributes(options: SamplingOptions, choices = 1): Attributes {
  const { topP, topK, stop, responseFormat } = options;
  const isText = responseFormat === undefined || responseFormat.type === "text";
  const all: Record<string, Attributes[string]> = {
    [NAME.requestMaxTokens]: maxTokensOf(options),
    [NAME.requestTemperature]: options.temperature,
    [NAME.requestTopP]: topP,
    [NAME.requestTopK]: topK,
    [NAME.requestSeed]: options.seed,
    [NAME.requestStop]: stop === undefined
      ? undefined
      : typeof stop === "string"
      ? [stop]
      : [...stop],
    [NAME.requestFrequencyPenalty]: options.frequencyPenalty,
    [NAME.requestPresencePenalty]: options.presencePenalty,
    [NAME.requestChoices]: choices === 1 ? undefined : choices,
    [NAME.outputType]: isText ? undefined : "json",
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
