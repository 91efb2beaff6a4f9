/**
 * Encodes messages as input items of OpenAI's Responses API. Attachments have been loaded by now.
 *
 * Source: OpenAI API reference, "Responses", and the types of the `openai` package 7.57:
 * `ResponseInputItem`, `ResponseInputFile`, `ResponseFunctionCallOutputItem`.
 *
 * @module
 */
import type {
  AssistantMessage,
  ContentPart,
  FilePart,
  Message,
  ToolMessage,
} from "../../chat/messages.ts";
import { asObjects, type Json } from "../../json/json.ts";
import { documentPart, namedFile } from "../file_parts.ts";
import { parseDataUrl } from "../data_url.ts";
import { rejectField, unsupportedFile, unsupportedPart } from "../unsupported.ts";

const API = "OpenAI's Responses API";
const NO_CACHE_CONTROL = "OpenAI caches prompts automatically: leave cache_control out.";

/** Throws if `value` has a prompt cache breakpoint, which this API does not have. */
export function rejectCacheControl(value: { cache_control?: unknown }): void {
  if (value.cache_control) rejectField("cache_control", API, NO_CACHE_CONTROL);
}

function encodeFile(part: FilePart): Json {
  const { file_data, file_id, filename } = namedFile(part).file;
  if (file_id !== undefined) return { type: "input_file", file_id };
  const mediaType = parseDataUrl(file_data ?? "")?.mediaType ?? "";
  if (/^(video|audio)\//.test(mediaType)) {
    throw unsupportedFile(mediaType, API, "It accepts PDF, text, office documents and images.");
  }
  // For files at URLs the API chooses the name.
  return /^https?:/i.test(file_data ?? "")
    ? { type: "input_file", file_url: file_data }
    : { type: "input_file", filename, file_data };
}

function encodePart(part: ContentPart): Json {
  rejectCacheControl(part as { cache_control?: unknown });
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image_url": {
      const { url, detail = "auto" } = part.image_url;
      return { type: "input_image", image_url: url, detail };
    }
    case "file":
      return encodeFile(part);
    case "document": {
      const { cache_control: _, ...converted } = documentPart(part, API);
      return encodePart(converted);
    }
    default: {
      const { type } = part as { type: string };
      // Already in the API's own form.
      if (/^input_(text|image|file)$/.test(type)) return part as unknown as Json;
      throw unsupportedPart(type, API);
    }
  }
}

function encodeContent(content: string | readonly ContentPart[]): string | Json[] {
  return typeof content === "string" ? content : content.map(encodePart);
}

/** Whether the server accepts an item that it has not stored: reasoning needs its content. */
function isReplayable(item: Json): boolean {
  return item.type !== "reasoning" || Boolean(item.encrypted_content) ||
    asObjects(item.content).length > 0;
}

function encodeAssistant(message: AssistantMessage, isStored: boolean): Json[] {
  if (message.providerMessage?.format === "responses") {
    const items = asObjects(message.providerMessage.content);
    return isStored ? items : items.filter(isReplayable);
  }
  const items: Json[] = [];
  const { content, refusal } = message;
  for (const part of Array.isArray(content) ? content : []) rejectCacheControl(part);
  const text = typeof content === "string"
    ? content
    : asObjects(content).map((part) => part.text ?? part.refusal ?? "").join("");
  const said = text || (refusal ?? "");
  if (said !== "") items.push({ role: "assistant", content: said });
  for (const { id, type, function: { name, arguments: args } } of message.tool_calls ?? []) {
    items.push(
      type === "custom"
        ? { type: "custom_tool_call", call_id: id, name, input: args }
        : { type: "function_call", call_id: id, name, arguments: args || "{}" },
    );
  }
  return items;
}

function encodeTool(message: ToolMessage, customCalls: ReadonlySet<unknown>): Json {
  const { tool_call_id: call_id, is_error, content } = message;
  rejectCacheControl(message);
  if (is_error) {
    rejectField(
      "is_error",
      API,
      "Report the failure in its content, and leave is_error out.",
    );
  }
  const type = customCalls.has(call_id) ? "custom_tool_call_output" : "function_call_output";
  return { type, call_id, output: encodeContent(content) };
}

/** The ids of all calls to custom tools, whose results have a different type. */
function customCalls(messages: readonly Message[]): ReadonlySet<unknown> {
  const ids = new Set<unknown>();
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    for (const { id, type } of message.tool_calls ?? []) if (type === "custom") ids.add(id);
    if (message.providerMessage?.format !== "responses") continue;
    for (const { call_id, type } of asObjects(message.providerMessage.content)) {
      if (type === "custom_tool_call") ids.add(call_id);
    }
  }
  return ids;
}

/**
 * Encodes messages as input items. `isStored` says whether the server stores its answers.
 *
 * @throws {InvalidInputError} for what cannot be sent
 */
export function encodeInput(messages: readonly Message[], isStored: boolean): Json[] {
  const custom = customCalls(messages);
  return messages.flatMap((message) => {
    if (message.role === "tool") return [encodeTool(message, custom)];
    if (message.name) rejectField("name of a message", API, "Put it into the text.");
    if (message.role === "assistant") return encodeAssistant(message, isStored);
    return [{ role: message.role, content: encodeContent(message.content) }];
  });
}
