/**
 * Encodes requests for Google's Gemini API.
 *
 * Source: Gemini API reference, "models.generateContent", and the types of `@google/genai`.
 *
 * @module
 */
import type { ResponseFormat, SamplingOptions } from "../../chat/options.ts";
import { asObject, type Json } from "../../json/json.ts";
import { mergeExtraBody } from "../extra_body.ts";
import { encodeMessages } from "./messages.ts";
import { methodUrl } from "./method_url.ts";
import { geminiModel } from "./model_features.ts";
import { geminiThinking } from "./thinking.ts";
import { encodeTools, toolDefaults } from "./tools.ts";
import type { ChatRequest, Endpoint } from "../protocol.ts";
import type { EncodedRequest } from "../../transport/request.ts";
import { jsonHeaders } from "../request.ts";
import { rejectOptions, unsupported } from "../unsupported.ts";

function encodeFormat(format: ResponseFormat | undefined): Json {
  if (format === undefined || format.type === "text") return {};
  return {
    responseMimeType: "application/json",
    responseJsonSchema: format.type === "json_schema" ? format.json_schema.schema : undefined,
  };
}

function encodeStop(stop: SamplingOptions["stop"]): readonly string[] | undefined {
  if (typeof stop === "string") return [stop];
  return stop?.length === 0 ? undefined : stop;
}

/** Rejects several candidates: only one is read, and the others would be paid for and lost. */
function checkCandidateCount(extraBody: SamplingOptions["extraBody"]): void {
  const config = asObject(extraBody?.generationConfig) ?? asObject(extraBody?.generation_config);
  const count = config?.candidateCount ?? config?.candidate_count;
  if (typeof count === "number" && count > 1) {
    throw unsupported(
      "candidateCount above 1",
      "flexllm",
      "Send the request several times instead.",
    );
  }
}

function encodeBody(request: ChatRequest, isVertex: boolean): string {
  const { options } = request;
  const model = geminiModel(request.model);
  if (options.parallelToolCalls === false) {
    throw unsupported("parallelToolCalls: false", "Gemini");
  }
  if (!model.sampling) {
    const names = ["temperature", "topP", "topK", "presencePenalty", "frequencyPenalty"] as const;
    rejectOptions(options, names, request.model, "This model generation ignores or refuses it.");
  }
  checkCandidateCount(options.extraBody);
  const target = { model, isVertex };
  const { system, contents } = encodeMessages(request.messages, target);
  const generationConfig = {
    maxOutputTokens: options.maxTokens,
    temperature: options.temperature,
    topP: options.topP,
    topK: options.topK,
    stopSequences: encodeStop(options.stop),
    seed: options.seed,
    presencePenalty: options.presencePenalty,
    frequencyPenalty: options.frequencyPenalty,
    thinkingConfig: geminiThinking(request.model, model, options.thinking),
    ...encodeFormat(options.responseFormat),
  };
  const isEmpty = Object.values(generationConfig).every((value) => value === undefined);
  const body = {
    systemInstruction: system.length === 0 ? undefined : { parts: system },
    contents,
    ...encodeTools(options, target),
    generationConfig: isEmpty ? undefined : generationConfig,
  };
  if (options.extraBody === undefined) return JSON.stringify(body);
  const defaults = [...toolDefaults(options), "generationConfig.thinkingConfig.includeThoughts"];
  return JSON.stringify(mergeExtraBody(body, options.extraBody, defaults));
}

/** Returns the encoder for one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const headers = jsonHeaders(endpoint, "x-goog-api-key");
  const isVertex = /\baiplatform\.googleapis\.com\/|\/publishers\/google$/.test(endpoint.baseUrl);
  return (request) => {
    const method = request.stream ? "streamGenerateContent" : "generateContent";
    const url = methodUrl(endpoint, request.model, method);
    return { url, headers, body: encodeBody(request, isVertex) };
  };
}
