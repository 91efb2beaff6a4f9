/**
 * OpenAI Chat Completions, spoken by OpenAI and by most other services, read tolerantly: fields may
 * be null or absent, and thinking arrives under several names.
 *
 * Source: OpenAI API reference, "Chat Completions", and the types of the `openai` package; the
 * variations are those of DeepSeek, vLLM, OpenRouter, Groq and Ollama.
 *
 * @module
 */
import type { FinishReason, ToolCall, Usage } from "../chat/result.ts";
import { MalformedResponseError } from "../errors.ts";
import { asNumber, asObject, asText, type Json } from "../json.ts";
import { OpenAIStreamDecoder } from "./openai_stream.ts";
import type { ChatRequest, Completion, Endpoint, Provider, ProviderError } from "./provider.ts";
import { service, serviceOfUrl } from "./services.ts";

function encodeBody(request: ChatRequest, maxTokensField: string): string {
  const { options } = request;
  // A key whose value is undefined is left out by JSON.stringify.
  return JSON.stringify({
    model: request.model,
    messages: request.messages,
    stream: request.stream ? true : undefined,
    stream_options: request.stream ? { include_usage: true } : undefined,
    temperature: options.temperature,
    top_p: options.topP,
    [maxTokensField]: options.maxTokens,
    stop: options.stop,
    seed: options.seed,
    presence_penalty: options.presencePenalty,
    frequency_penalty: options.frequencyPenalty,
    tools: options.tools,
    tool_choice: options.toolChoice,
    parallel_tool_calls: options.parallelToolCalls,
    response_format: options.responseFormat,
    ...options.extraBody,
  });
}

function encoder(endpoint: Endpoint) {
  const url = `${endpoint.baseUrl}/chat/completions`;
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (endpoint.apiKey !== undefined) headers.authorization = `Bearer ${endpoint.apiKey}`;
  Object.assign(headers, endpoint.headers);
  const known = serviceOfUrl(endpoint.baseUrl);
  const maxTokensField = (known && service(known).maxTokensField) ?? "max_tokens";
  return (request: ChatRequest) => ({ url, headers, body: encodeBody(request, maxTokensField) });
}

/** Maps OpenAI's finish reasons; a server may leave the reason out or say `stop` for tool calls. */
export function finishReason(reason: unknown, hasToolCalls: boolean): FinishReason {
  if (reason === "length" || reason === "content_filter") return reason;
  if (hasToolCalls) return "tool_calls";
  if (reason === "stop" || reason === "tool_calls" || reason === "function_call") return "stop";
  return "other";
}

/** Decodes a `usage` object; `null` when the server sent none. */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const promptTokens = asNumber(usage.prompt_tokens) ?? 0;
  const completionTokens = asNumber(usage.completion_tokens) ?? 0;
  const decoded: Usage = {
    promptTokens,
    completionTokens,
    totalTokens: asNumber(usage.total_tokens) ?? promptTokens + completionTokens,
  };
  const cached = asNumber(asObject(usage.prompt_tokens_details)?.cached_tokens) ??
    asNumber(usage.prompt_cache_hit_tokens);
  if (cached !== undefined) decoded.cachedTokens = cached;
  const reasoning = asNumber(asObject(usage.completion_tokens_details)?.reasoning_tokens);
  if (reasoning !== undefined) decoded.reasoningTokens = reasoning;
  return decoded;
}

/** The text of a message's `content`: a string, or the text parts of an array. */
export function decodeContent(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => asObject(part)?.text).filter((text) => typeof text === "string")
    .join("");
}

/** The thinking text of a message or a delta, under either of its names. */
export function decodeThinking(message: Json): string | undefined {
  return asText(message.reasoning_content) ?? asText(message.reasoning);
}

/** Arguments as text: some servers send the object itself. */
export function decodeArguments(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

function decodeToolCalls(value: unknown): ToolCall[] {
  if (!Array.isArray(value)) return [];
  return value.map((item, i) => {
    const call = asObject(item);
    const fn = asObject(call?.function);
    return {
      id: asText(call?.id) ?? `call_${i}`,
      type: "function",
      function: { name: asText(fn?.name) ?? "", arguments: decodeArguments(fn?.arguments) },
    };
  });
}

function decode(body: unknown): Completion {
  const answer = asObject(body);
  const choice = Array.isArray(answer?.choices) ? asObject(answer.choices[0]) : undefined;
  const message = asObject(choice?.message);
  if (answer === undefined || choice === undefined || message === undefined) {
    throw new MalformedResponseError(
      "the server's answer is not a chat completion: it has no choices[0].message",
      { hint: "Check that the base URL is that of an OpenAI-compatible API." },
    );
  }
  const toolCalls = decodeToolCalls(message.tool_calls);
  return {
    content: decodeContent(message.content) || (asText(message.refusal) ?? ""),
    thinking: decodeThinking(message) ?? null,
    toolCalls,
    usage: decodeUsage(answer.usage),
    finishReason: finishReason(choice.finish_reason, toolCalls.length > 0),
    model: asText(answer.model) ?? "",
  };
}

/** Reads `{"error": {…}}`, `{"error": "…"}`, vLLM's `{"object": "error", …}` and `{"detail": …}`. */
export function decodeError(body: unknown): ProviderError | undefined {
  const answer = asObject(body);
  if (answer === undefined) return undefined;
  const text = asText(answer.error) ?? asText(answer.detail);
  if (text !== undefined) return { message: text };
  const error = asObject(answer.error) ?? (answer.object === "error" ? answer : undefined);
  if (error === undefined) return undefined;
  const status = Number(error.code);
  return {
    message: asText(error.message),
    code: asText(error.code) ?? asText(error.type),
    status: status >= 400 && status <= 599 ? status : undefined,
  };
}

/** The Chat Completions format. */
export const openai: Provider = {
  name: "openai",
  encoder,
  decode,
  streamDecoder: () => new OpenAIStreamDecoder(),
  decodeError,
};
