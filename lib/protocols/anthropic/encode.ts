/**
 * Encodes requests for Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages" and "Versions", and the types of `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import type { ResponseFormat, SamplingOptions } from "../../chat/options.ts";
import { ConfigurationError } from "../../errors.ts";
import type { Json } from "../../json/json.ts";
import { encodeMessages } from "./messages.ts";
import { type ClaudeModel, claudeModel } from "./model_features.ts";
import { anthropicThinking } from "./thinking.ts";
import { encodeToolChoice, encodeTools } from "./tools.ts";
import { mergeExtraBody } from "../extra_body.ts";
import type { ChatRequest, Endpoint } from "../protocol.ts";
import type { EncodedRequest } from "../../transport/request.ts";
import { jsonHeaders, requestUrl } from "../request.ts";
import { rejectOptions, unsupported } from "../unsupported.ts";
import { isAnthropicHost, NEWEST_VERSION, VERSION } from "./versions.ts";

function encodeFormat(format: ResponseFormat | undefined): Json | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") {
    throw unsupported("responseFormat json_object", "Claude", "Use a json_schema instead.");
  }
  return { type: "json_schema", schema: format.json_schema.schema };
}

function hasSampling({ temperature, topP, topK }: SamplingOptions): boolean {
  return temperature !== undefined || topP !== undefined || topK !== undefined;
}

/** Rejects sampling options that the API would reject. */
function checkSampling(
  options: SamplingOptions,
  name: string,
  model: ClaudeModel,
  thinks: boolean,
): void {
  if (!model.isKnown || !hasSampling(options)) return;
  const { temperature = 1, topP = 1 } = options;
  if (model.sampling === "defaults") {
    const hint = "This model generation only accepts its defaults.";
    if (temperature !== 1) throw unsupported("temperature", name, hint);
    if (topP !== 1) throw unsupported("topP", name, hint);
    rejectOptions(options, ["topK"], name, hint);
  } else if (thinks) {
    const who = `${name} with thinking`;
    if (temperature !== 1) throw unsupported(`temperature ${temperature}`, who, "It must be 1.");
    if (topP < 0.95) throw unsupported(`topP ${topP}`, who, "It must be 0.95 to 1.");
    rejectOptions(options, ["topK"], who);
  } else if (temperature > 1) {
    throw unsupported(`temperature ${temperature}`, name, "It must be 0 to 1.");
  }
}

/** Fields that hold our defaults, which `extraBody` may replace. */
function defaultsOf({ maxTokens }: SamplingOptions): string[] {
  return maxTokens === undefined ? ["max_tokens", "thinking.display"] : ["thinking.display"];
}

function encodeBody(request: ChatRequest, model: ClaudeModel): string {
  const { options, model: name } = request;
  rejectOptions(options, ["seed", "presencePenalty", "frequencyPenalty"], "Claude");
  const { system, turns } = encodeMessages(request.messages, name, model);
  const { thinking, effort, maxTokens } = anthropicThinking(name, model, options);
  const thinks = thinking?.type === "enabled" || thinking?.type === "adaptive";
  checkSampling(options, name, model, thinks);
  const format = encodeFormat(options.responseFormat);
  const choice = encodeToolChoice(options, name, model);
  const isForced = choice?.type === "any" || choice?.type === "tool";
  if (thinking?.type === "enabled" && isForced && model.isKnown) {
    throw new ConfigurationError(`${name} cannot think when a tool is forced`, {
      hint: 'Use toolChoice "auto", or thinking: false.',
    });
  }
  const [only] = system;
  const isPlain = system.length === 1 && only.cache_control === undefined;
  const stop = typeof options.stop === "string" ? [options.stop] : options.stop;
  const body: Json = {
    model: name,
    max_tokens: maxTokens,
    system: system.length === 0 ? undefined : isPlain ? only.text : system,
    messages: turns,
    stream: request.stream ? true : undefined,
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    stop_sequences: stop?.length === 0 ? undefined : stop,
    tools: encodeTools(options.tools),
    tool_choice: choice,
    thinking,
    output_config: effort === undefined && format === undefined ? undefined : { effort, format },
  };
  return JSON.stringify(mergeExtraBody(body, options.extraBody, defaultsOf(options)));
}

/** Returns the encoder for one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const url = requestUrl(endpoint, "/messages");
  const newest = isAnthropicHost(url) ? NEWEST_VERSION : VERSION;
  return (request: ChatRequest) => {
    const version = hasSampling(request.options) ? VERSION : newest;
    const headers = jsonHeaders(endpoint, "x-api-key", { "anthropic-version": version });
    return { url, headers, body: encodeBody(request, claudeModel(request.model)) };
  };
}
