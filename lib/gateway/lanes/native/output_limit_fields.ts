/**
 * Limits an answer in the client's own format to what the caller's budget can pay for.
 *
 * @module
 */
import type { EndpointClient } from "../../../client/endpoint_client.ts";
import { asObject, type Json, parseExact } from "../../../json/json.ts";
import { maxTokensField } from "../../../protocols/openai_chat/encode.ts";
import { serviceFor } from "../../../protocols/service.ts";
import type { GatewayCall } from "../../gateway_call.ts";

/** Gemini's object of options; its API accepts either spelling of every field. */
function geminiConfig({ body, text }: Pick<GatewayCall, "body" | "text">, tokens: number): Json {
  const field = body.generation_config === undefined ? "generationConfig" : "generation_config";
  const { max_output_tokens: _, ...config } = asObject((parseExact(text) as Json)[field]) ?? {};
  return { [field]: { ...config, maxOutputTokens: tokens } };
}

/** The fields that set the limit in a body; none if there is no limit to set. */
export function outputLimitFields(
  call: Pick<GatewayCall, "protocol" | "body" | "text" | "outputLimit">,
  endpoint: EndpointClient,
  model: string,
): Json {
  const { protocol, body, outputLimit } = call;
  if (outputLimit === undefined) return {};
  switch (protocol.name) {
    case "gemini":
      return geminiConfig(call, outputLimit);
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
