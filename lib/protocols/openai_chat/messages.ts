/**
 * Messages in requests of Chat Completions. Attachments are data by now, or ids.
 *
 * Sources: OpenAI API reference, "Create chat completion", `messages`; OpenAI documentation, "File inputs"
 * (a file of data needs a name) and "Audio"; unknown parts are passed through, since
 * compatible servers accept more (`video_url`, `cache_control`).
 *
 * @module
 */
import { audioFormatOf } from "../../chat/media_type.ts";
import type {
  AssistantMessage,
  AudioPart,
  ContentPart,
  FilePart,
  Message,
  TextPart,
  ToolMessage,
} from "../../chat/messages.ts";
import type { Tool } from "../../chat/options.ts";
import { asObject } from "../../json/json.ts";
import { encodeCall } from "./answer_message.ts";
import { parseDataUrl } from "../data_url.ts";
import { documentPart, namedFile } from "../file_parts.ts";
import { refuseField } from "../unsupported.ts";

const WHO = "Chat Completions";
const NO_MARKS = "OpenAI caches prompts automatically: leave cache_control out.";

/** Throws if `value` has a prompt cache breakpoint, which OpenAI refuses. */
function refuseMark(value: { cache_control?: unknown }): void {
  if (value.cache_control) refuseField("cache_control", "OpenAI", NO_MARKS);
}

function encodeAudio(part: AudioPart): object {
  const { data, format } = part.input_audio;
  const url = parseDataUrl(data);
  if (url === undefined) return part;
  const input_audio = { data: url.data, format: format ?? audioFormatOf(url.mediaType) };
  return { ...part, input_audio };
}

function encodePart(part: ContentPart, official: boolean): object {
  if (official) refuseMark(part as { cache_control?: unknown });
  switch (part.type) {
    case "file":
      return namedFile(part);
    case "document": {
      const { cache_control } = part;
      const converted: FilePart | TextPart = documentPart(part, WHO);
      return cache_control ? { ...converted, cache_control } : converted;
    }
    case "input_audio":
      return encodeAudio(part);
    default:
      return part;
  }
}

function encodeAssistant(
  { providerMessage: native, tool_calls: calls, ...message }: AssistantMessage,
  official: boolean,
): object {
  const { content } = message;
  const encoded = {
    ...message,
    ...(Array.isArray(content) && { content: content.map((part) => encodePart(part, official)) }),
    // OpenAI refuses an empty list.
    ...(calls?.length && { tool_calls: calls.map(encodeCall) }),
  };
  return native?.format === "chat" ? { ...encoded, ...asObject(native.content) } : encoded;
}

function encodeTool({ is_error, ...message }: ToolMessage, official: boolean): object {
  if (is_error) {
    refuseField(
      "is_error",
      WHO,
      "Report the failure in its content, and leave is_error out.",
    );
  }
  if (official) refuseMark(message);
  return message;
}

/** A message as the API takes it. `official` says that OpenAI's own rules hold. */
function encodeMessage(message: Message, official: boolean): object {
  if (message.role === "assistant") return encodeAssistant(message, official);
  const encoded = message.role === "tool" ? encodeTool(message, official) : message;
  const { content } = message;
  return typeof content === "string"
    ? encoded
    : { ...encoded, content: content.map((part) => encodePart(part, official)) };
}

/** Whether a message is sent unchanged, as nearly all are. */
function isPlain(message: Message): boolean {
  if (typeof message.content !== "string" || message.role === "tool") return false;
  return message.role !== "assistant" || !(message.providerMessage || message.tool_calls);
}

/**
 * The messages as the API takes them. `official` says that the server is OpenAI's.
 *
 * @throws {InvalidInputError} for what cannot be sent
 */
export function encodeMessages(
  messages: readonly Message[],
  official: boolean,
): readonly object[] {
  return messages.every(isPlain)
    ? messages
    : messages.map((message) => encodeMessage(message, official));
}

/** The tools as the API takes them: functions nested, all others as they are. */
export function encodeTools(tools: readonly Tool[], official: boolean): readonly object[] {
  return tools.map((tool) => {
    if (official) refuseMark(tool);
    // The flat form of Responses.
    if (tool.type !== "function" || tool.function !== undefined) return tool;
    const { type, ...fn } = tool;
    return { type, function: fn };
  });
}
