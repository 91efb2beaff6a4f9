/**
 * Requests of OpenAI's Responses API. Nothing is stored at the server: reasoning travels with the
 * conversation, encrypted.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57.
 *
 * @module
 */
import type { AssistantMessage, ContentPart, Message } from "../chat/messages.ts";
import { isFunctionTool, type ResponseFormat, type ToolChoice } from "../chat/options.ts";
import type { Json } from "../json.ts";
import { chatThinking } from "./chat_thinking.ts";
import type { ChatRequest, EncodedRequest, Endpoint } from "./provider.ts";
import { mergeExtraBody } from "./extra_body.ts";
import { jsonHeaders, requestUrl } from "./request.ts";
import { refuseOptions, unsupportedPart } from "./unsupported.ts";

function encodePart(part: ContentPart): Json {
  if (part.type === "text") return { type: "input_text", text: part.text };
  if (part.type !== "image_url") throw unsupportedPart(part.type, "the Responses API");
  const { url, detail = "auto" } = part.image_url;
  return { type: "input_image", image_url: url, detail };
}

function encodeContent(content: string | readonly ContentPart[]): string | Json[] {
  return typeof content === "string" ? content : content.map(encodePart);
}

function encodeAssistant(message: AssistantMessage): Json[] {
  if (message.native?.format === "responses") return message.native.content as Json[];
  const items: Json[] = [];
  const { content } = message;
  const text = typeof content === "string"
    ? content
    : content?.map((part) => part.text).join("") ?? "";
  if (text !== "") items.push({ role: "assistant", content: text });
  for (const { id, function: fn } of message.tool_calls ?? []) {
    items.push({ type: "function_call", call_id: id, name: fn.name, arguments: fn.arguments });
  }
  return items;
}

function encodeMessage(message: Message): Json[] {
  switch (message.role) {
    case "assistant":
      return encodeAssistant(message);
    case "tool":
      return [{
        type: "function_call_output",
        call_id: message.tool_call_id,
        output: encodeContent(message.content),
      }];
    default:
      return [{ role: message.role, content: encodeContent(message.content) }];
  }
}

function encodeToolChoice(choice: ToolChoice | undefined): unknown {
  if (typeof choice === "object" && choice.type === "allowed_tools") {
    return { type: choice.type, ...choice.allowed_tools };
  }
  return typeof choice === "object" ? { type: "function", name: choice.function.name } : choice;
}

function encodeFormat(format: ResponseFormat | undefined): Json | undefined {
  if (format === undefined) return undefined;
  return {
    format: format.type === "json_schema" ? { type: format.type, ...format.json_schema } : format,
  };
}

function encodeReasoning({ model, options: { thinking } }: ChatRequest): Json | undefined {
  if (thinking === undefined) return undefined;
  const { reasoning_effort: effort } = chatThinking("effort", model, thinking, true);
  return effort === "none" ? { effort } : { effort, summary: "auto" };
}

/** Fields that are set without being asked for, which `extraBody` may replace. */
const DEFAULTS = ["store", "reasoning.summary"];

function encodeBody(request: ChatRequest): string {
  const { options } = request;
  const names = ["stop", "seed", "presencePenalty", "frequencyPenalty", "topK"] as const;
  refuseOptions(options, names, "OpenAI's Responses API");
  return JSON.stringify(mergeExtraBody(
    {
      model: request.model,
      input: request.messages.flatMap(encodeMessage),
      stream: request.stream ? true : undefined,
      store: false,
      include: ["reasoning.encrypted_content"],
      max_output_tokens: options.maxTokens,
      temperature: options.temperature,
      top_p: options.topP,
      tools: options.tools?.map((tool) => {
        if (!isFunctionTool(tool)) return tool;
        const { type, function: fn } = tool;
        const parameters = fn.parameters ?? { type: "object", properties: {} };
        // Without `strict` this API makes the schema strict.
        const strict = fn.strict ?? false;
        return { type, name: fn.name, description: fn.description, parameters, strict };
      }),
      tool_choice: encodeToolChoice(options.toolChoice),
      parallel_tool_calls: options.parallelToolCalls,
      text: encodeFormat(options.responseFormat),
      reasoning: encodeReasoning(request),
    },
    options.extraBody,
    DEFAULTS,
  ));
}

/** Makes the encoder of one endpoint. */
export function encoder(endpoint: Endpoint): (request: ChatRequest) => EncodedRequest {
  const url = requestUrl(endpoint, "/responses");
  const headers = jsonHeaders(endpoint, "authorization");
  return (request) => ({ url, headers, body: encodeBody(request) });
}
