/**
 * Encodes requests for OpenAI's Chat Completions API.
 *
 * Source: OpenAI API reference, "Create chat completion". What services do differently is data in
 * services/service_table.ts.
 *
 * @module
 */
import { asCount, type Json } from "../../json/json.ts";
import { encodeMessages, encodeTools } from "./messages.ts";
import { chatThinking } from "./thinking.ts";
import type { ChatRequest, Endpoint } from "../protocol.ts";
import type { EncodedRequest } from "../../transport/request.ts";
import { mergeExtraBody } from "../extra_body.ts";
import { jsonHeaders, requestUrl } from "../request.ts";
import { type Service, serviceFor } from "../service.ts";
import { isOpenAIModel } from "../openai_model_features.ts";
import { rejectToolOptions, unsupported } from "../unsupported.ts";

/** Fields that hold our defaults, which `extraBody` may replace. */
const DEFAULTS = ["stream_options.include_usage"];

/** The field that limits the output tokens of `model`. */
export function maxTokensField(
  { maxTokensField, maxTokensModels }: Service,
  model: string,
): string {
  if (maxTokensField === undefined || maxTokensModels?.test(model)) return "max_tokens";
  return maxTokensField;
}

/** Sets a field. Most options are absent, and an object with many undefined fields is slow to stringify. */
function put(body: Json, name: string, value: unknown): void {
  if (value !== undefined) body[name] = value;
}

function encodeBody(request: ChatRequest, service: Service, isOpenAI: boolean): string {
  const { options } = request;
  if (isOpenAI && options.topK !== undefined) throw unsupported("topK", "OpenAI");
  rejectToolOptions(options);
  const body: Json = {
    model: request.model,
    messages: encodeMessages(request.messages, isOpenAI),
  };
  if (request.stream) {
    body.stream = true;
    if (service.streamOptions !== false) body.stream_options = { include_usage: true };
  }
  put(body, "temperature", options.temperature);
  put(body, "top_p", options.topP);
  put(body, "top_k", options.topK);
  put(body, maxTokensField(service, request.model), options.maxTokens);
  if (options.stop?.length) body.stop = options.stop;
  put(body, service.seedField ?? "seed", options.seed);
  put(body, "presence_penalty", options.presencePenalty);
  put(body, "frequency_penalty", options.frequencyPenalty);
  if (options.tools?.length) body.tools = encodeTools(options.tools, isOpenAI);
  const { toolChoice, thinking, extraBody } = options;
  put(
    body,
    "tool_choice",
    toolChoice === "required" ? service.requiredTool ?? "required" : toolChoice,
  );
  put(body, "parallel_tool_calls", options.parallelToolCalls);
  put(body, "response_format", options.responseFormat);
  if (thinking !== undefined) {
    Object.assign(
      body,
      chatThinking(service, request.model, thinking, isOpenAI),
    );
  }
  mergeExtraBody(body, extraBody, DEFAULTS);
  if ((asCount(body.n) ?? 1) > 1) {
    throw unsupported(
      "n",
      "flexllm",
      "Send one request per answer: only the first choice is returned.",
    );
  }
  return JSON.stringify(body);
}

/** Returns the encoder for one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const url = requestUrl(endpoint, "/chat/completions");
  const headers = jsonHeaders(endpoint, "authorization");
  return (request) => {
    const service = serviceFor(endpoint, request.model);
    // OpenAI's rules apply to its own models, and to every model on its own servers.
    const isOpenAI = service.thinking === "effort" &&
      (endpoint.isOpenAIHost === true || isOpenAIModel(request.model));
    return { url, headers, body: encodeBody(request, service, isOpenAI) };
  };
}
