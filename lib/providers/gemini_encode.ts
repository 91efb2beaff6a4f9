/**
 * Requests of Google's Gemini API.
 *
 * Source: Gemini API reference, "models.generateContent", and the types of `@google/genai`.
 *
 * @module
 */
import type { ContentPart, Message } from "../chat/messages.ts";
import { isFunctionTool, type ResponseFormat, type ToolChoice } from "../chat/options.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, type Json } from "../json.ts";
import { parseDataUrl } from "./data_url.ts";
import { geminiModel } from "./gemini_models.ts";
import { geminiThinking } from "./gemini_thinking.ts";
import type { ChatRequest, EncodedRequest, Endpoint } from "./provider.ts";
import { mergeExtraBody } from "./extra_body.ts";
import { jsonHeaders, requestUrl } from "./request.ts";
import { refuseOptions, unsupported, unsupportedPart } from "./unsupported.ts";
import { parseArguments } from "./tool_arguments.ts";

type Turn = { role: "user" | "model"; parts: Json[] };

function encodePart(part: ContentPart): Json {
  if (part.type === "text") return { text: part.text };
  if (part.type !== "image_url") throw unsupportedPart(part.type, "Gemini");
  const inline = parseDataUrl(part.image_url.url);
  if (inline !== undefined) {
    return { inlineData: { mimeType: inline.mediaType, data: inline.data } };
  }
  // Only files that were uploaded to Google have such a URI; the client inlines all others.
  return { fileData: { fileUri: part.image_url.url } };
}

function encodeContent(content: string | readonly ContentPart[]): Json[] {
  if (typeof content !== "string") return content.map(encodePart);
  return content === "" ? [] : [{ text: content }];
}

function textOf(content: string | readonly ContentPart[]): string {
  if (typeof content === "string") return content;
  return content.map((part) => part.type === "text" ? part.text : "").join("");
}

/** The calls made so far, by their id, with whether Google gave that id. */
type Calls = Map<string, { name: string; hasId: boolean }>;

function encodeToolResult(message: Message & { role: "tool" }, calls: Calls): Json {
  const call = calls.get(message.tool_call_id);
  if (call === undefined) {
    throw new InvalidInputError(
      `the tool message for ${message.tool_call_id} answers no tool call before it`,
    );
  }
  return {
    functionResponse: {
      id: call.hasId ? message.tool_call_id : undefined,
      name: call.name,
      response: { output: textOf(message.content) },
    },
  };
}

function encodeAssistant(message: Message & { role: "assistant" }, calls: Calls): Json[] {
  const native = message.native?.format === "gemini" ? message.native.content as Json[] : undefined;
  const nativeIds = new Set(native?.map((part) => asObject(part.functionCall)?.id));
  for (const { id, function: { name } } of message.tool_calls ?? []) {
    calls.set(id, { name, hasId: native === undefined || nativeIds.has(id) });
  }
  if (native !== undefined) return native;
  return [
    ...encodeContent(message.content ?? ""),
    ...(message.tool_calls ?? []).map((call) => ({
      functionCall: { id: call.id, name: call.function.name, args: parseArguments(call) },
    })),
  ];
}

function encodeMessages(messages: readonly Message[]): { system: Json[]; contents: Turn[] } {
  const system: Json[] = [];
  const contents: Turn[] = [];
  const calls: Calls = new Map();
  const add = (role: Turn["role"], parts: Json[]) => {
    // The API refuses turns in which nothing is said.
    if (parts.length === 0) return;
    const last = contents.at(-1);
    if (last?.role === role) last.parts = [...last.parts, ...parts];
    else contents.push({ role, parts });
  };
  for (const message of messages) {
    switch (message.role) {
      case "system":
      case "developer":
        system.push(...encodeContent(message.content));
        break;
      case "user":
        add("user", encodeContent(message.content));
        break;
      case "tool":
        add("user", [encodeToolResult(message, calls)]);
        break;
      case "assistant":
        add("model", encodeAssistant(message, calls));
        break;
    }
  }
  return { system, contents };
}

function encodeToolChoice(choice: ToolChoice | undefined): Json | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === "object" && choice.type === "allowed_tools") {
    throw unsupported("toolChoice allowed_tools", "Gemini");
  }
  const functionCallingConfig = typeof choice === "object"
    ? { mode: "ANY", allowedFunctionNames: [choice.function.name] }
    : { mode: { auto: "AUTO", none: "NONE", required: "ANY" }[choice] };
  return { functionCallingConfig };
}

function encodeFormat(format: ResponseFormat | undefined): Json {
  if (format === undefined || format.type === "text") return {};
  return {
    responseMimeType: "application/json",
    responseJsonSchema: format.type === "json_schema" ? format.json_schema.schema : undefined,
  };
}

function encodeBody(request: ChatRequest): string {
  const { options } = request;
  const model = geminiModel(request.model);
  if (options.parallelToolCalls !== undefined) throw unsupported("parallelToolCalls", "Gemini");
  if (!model.sampling) {
    const names = ["temperature", "topP", "topK", "presencePenalty", "frequencyPenalty"] as const;
    refuseOptions(options, names, request.model, "This model generation samples by itself.");
  }
  const { system, contents } = encodeMessages(request.messages);
  const generationConfig = {
    maxOutputTokens: options.maxTokens,
    temperature: options.temperature,
    topP: options.topP,
    topK: options.topK,
    stopSequences: typeof options.stop === "string" ? [options.stop] : options.stop,
    seed: options.seed,
    presencePenalty: options.presencePenalty,
    frequencyPenalty: options.frequencyPenalty,
    thinkingConfig: geminiThinking(request.model, model, options.thinking),
    ...encodeFormat(options.responseFormat),
  };
  const isEmpty = Object.values(generationConfig).every((value) => value === undefined);
  return JSON.stringify(mergeExtraBody({
    systemInstruction: system.length === 0 ? undefined : { parts: system },
    contents,
    tools: options.tools && [{
      functionDeclarations: options.tools.filter(isFunctionTool).map(({ function: tool }) => ({
        name: tool.name,
        description: tool.description,
        parametersJsonSchema: tool.parameters,
      })),
    }],
    toolConfig: options.tools && encodeToolChoice(options.toolChoice),
    generationConfig: isEmpty ? undefined : generationConfig,
  }, options.extraBody));
}

/** Makes the encoder of one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const headers = jsonHeaders(endpoint, "x-goog-api-key");
  return (request) => {
    const method = request.stream ? "streamGenerateContent" : "generateContent";
    const model = encodeURIComponent(request.model.replace(/^models\//, ""));
    const query = { alt: request.stream ? "sse" : undefined };
    const url = requestUrl(endpoint, `/models/${model}:${method}`, query);
    return { url, headers, body: encodeBody(request) };
  };
}
