/**
 * Requests of OpenAI's Chat Completions API, which most services speak.
 *
 * Source: OpenAI API reference, "Create chat completion"; what services do differently is data in
 * services.ts.
 *
 * @module
 */
import type { AssistantMessage, Message } from "../chat/messages.ts";
import { asObject } from "../json.ts";
import { chatThinking } from "./chat_thinking.ts";
import type { ChatRequest, EncodedRequest, Endpoint } from "./provider.ts";
import { type Service, service, serviceOfUrl } from "./services.ts";
import { unsupported } from "./unsupported.ts";

/** A message with what only this API's services want back: reasoning of earlier turns. */
function encodeAssistant({ native, ...message }: AssistantMessage): object {
  return native?.format === "chat" ? { ...message, ...asObject(native.content) } : message;
}

function encodeMessage(message: Message): object {
  return message.role === "assistant" && message.native ? encodeAssistant(message) : message;
}

function hasNative(messages: readonly Message[]): boolean {
  return messages.some((message) => message.role === "assistant" && message.native);
}

function encodeBody(request: ChatRequest, dialect: Service, official: boolean): string {
  const { options, messages } = request;
  if (official && options.topK !== undefined) throw unsupported("topK", "OpenAI");
  // A key whose value is undefined is left out by JSON.stringify.
  return JSON.stringify({
    model: request.model,
    messages: hasNative(messages) ? messages.map(encodeMessage) : messages,
    stream: request.stream ? true : undefined,
    stream_options: request.stream ? { include_usage: true } : undefined,
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    [dialect.maxTokensField ?? "max_tokens"]: options.maxTokens,
    stop: options.stop,
    [dialect.seedField ?? "seed"]: options.seed,
    presence_penalty: options.presencePenalty,
    frequency_penalty: options.frequencyPenalty,
    tools: options.tools,
    tool_choice: options.toolChoice === "required"
      ? dialect.requiredTool ?? "required"
      : options.toolChoice,
    parallel_tool_calls: options.parallelToolCalls,
    response_format: options.responseFormat,
    ...chatThinking(dialect.thinking ?? "template", request.model, options.thinking, official),
    ...options.extraBody,
  });
}

/** `/chat/completions` under the base URL, whose query (Azure's `api-version`) stays at the end. */
function chatUrl(baseUrl: string): string {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/chat/completions`;
  return url.href;
}

/** Makes the encoder of one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const url = chatUrl(endpoint.baseUrl);
  const name = serviceOfUrl(endpoint.baseUrl);
  const dialect: Service = name === undefined ? { baseUrl: endpoint.baseUrl } : service(name);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (endpoint.apiKey !== undefined) {
    if (dialect.keyHeader === undefined) headers.authorization = `Bearer ${endpoint.apiKey}`;
    else headers[dialect.keyHeader] = endpoint.apiKey;
  }
  Object.assign(headers, endpoint.headers);
  return (request) => ({ url, headers, body: encodeBody(request, dialect, name === "openai") });
}
