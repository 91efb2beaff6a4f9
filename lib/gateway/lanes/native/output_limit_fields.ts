/**
 * Limits an answer in the client's own format to what the caller's budget can pay for.
 *
 * @module
 */
import type { EndpointClient } from "../../../client/endpoint_client.ts";
import { asObject, type Json } from "../../../json/json.ts";
import { maxTokensField } from "../../../protocols/openai_chat/encode.ts";
import { serviceFor } from "../../../protocols/service.ts";
import type { GatewayCall } from "../../gateway_call.ts";

/** Gemini's object of options; its API accepts either spelling of every field, and some clients use both. */
function geminiConfig(body: Json, tokens: number): Json {
  const { generationConfig, generation_config } = body;
  const configs: Json = generationConfig === undefined && generation_config !== undefined
    ? { generation_config }
    : { generationConfig, ...generation_config === undefined ? {} : { generation_config } };
  for (const field in configs) {
    const { max_output_tokens: _, ...config } = asObject(configs[field]) ?? {};
    configs[field] = { ...config, maxOutputTokens: tokens };
  }
  return configs;
}

/**
 * The fields that set the limit in a body; none if there is no limit to set.
 *
 * @param body the client's body, with what the endpoint's configuration adds
 */
export function outputLimitFields(
  { protocol, outputLimit }: Pick<GatewayCall, "protocol" | "outputLimit">,
  endpoint: EndpointClient,
  model: string,
  body: Json,
): Json {
  if (outputLimit === undefined) return {};
  switch (protocol.name) {
    case "gemini":
      return geminiConfig(body, outputLimit);
    case "responses":
      return { max_output_tokens: outputLimit };
    case "chat": {
      // A client can have written "no limit" into either field.
      const fields: Json = {};
      for (const name of ["max_tokens", "max_completion_tokens"]) {
        if (body[name] !== undefined) fields[name] = outputLimit;
      }
      if (Object.keys(fields).length > 0) return fields;
      const { endpoint: at } = endpoint.connection;
      return { [maxTokensField(serviceFor(at, model), model)]: outputLimit };
    }
    default:
      return { max_tokens: outputLimit };
  }
}
