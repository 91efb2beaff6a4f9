/**
 * Encodes messages and tools for Chat Completions. Attachments have been loaded by now.
 *
 * Sources: OpenAI API reference, "Create chat completion", `messages`; OpenAI documentation, "File inputs"
 * (inline data needs a file name) and "Audio". Unknown parts are passed through, since compatible servers
 * accept more (`video_url`, `cache_control`).
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
import { InvalidInputError } from "../../errors.ts";
import { asObject } from "../../json/json.ts";
import { encodeCall } from "./answer_message.ts";
import { parseDataUrl } from "../data_url.ts";
import { documentPart, namedFile } from "../file_parts.ts";
import { rejectField, unsupportedFile } from "../unsupported.ts";

const API_NAME = "Chat Completions";
/** Source: OpenAI API reference, "Create chat completion", `input_audio.format`. */
const OPENAI_AUDIO: readonly (string | undefined)[] = ["wav", "mp3"];
const NO_MARKS = "OpenAI caches prompts automatically: leave cache_control out.";

/** Throws if `value` has a prompt cache breakpoint, which OpenAI rejects. */
function rejectCacheControl(value: { cache_control?: unknown }): void {
  if (value.cache_control) rejectField("cache_control", "OpenAI", NO_MARKS);
}

function encodeAudio(part: AudioPart, isOpenAI: boolean): object {
  const { data, format } = part.input_audio;
  const url = parseDataUrl(data);
  const input_audio = url === undefined
    ? part.input_audio
    : { data: url.data, format: format ?? audioFormatOf(url.mediaType) };
  if (isOpenAI && !OPENAI_AUDIO.includes(input_audio.format)) {
    const hint = "It accepts WAV and MP3. Convert it: ffmpeg -i IN out.mp3";
    throw new InvalidInputError(`OpenAI does not accept audio as ${input_audio.format}`, { hint });
  }
  return url === undefined ? part : { ...part, input_audio };
}

/** Throws for files that OpenAI's own Chat Completions reject; compatible servers may accept more. */
function rejectOtherFiles({ file }: FilePart): void {
  const mediaType = parseDataUrl(file.file_data ?? "")?.mediaType;
  if (mediaType === undefined || mediaType === "application/pdf") return;
  throw unsupportedFile(
    mediaType,
    `OpenAI's ${API_NAME} API`,
    'It accepts PDF only. Convert the file to PDF, or use the Responses API (api: "responses").',
  );
}

function encodePart(part: ContentPart, isOpenAI: boolean): object {
  if (isOpenAI) rejectCacheControl(part as { cache_control?: unknown });
  switch (part.type) {
    case "file":
      if (isOpenAI) rejectOtherFiles(part);
      return namedFile(part);
    case "document": {
      const { cache_control } = part;
      const converted: FilePart | TextPart = documentPart(part, API_NAME);
      return cache_control ? { ...converted, cache_control } : converted;
    }
    case "input_audio":
      return encodeAudio(part, isOpenAI);
    default:
      return part;
  }
}

function encodeAssistant(
  { providerMessage, tool_calls: calls, ...message }: AssistantMessage,
  isOpenAI: boolean,
): object {
  const { content } = message;
  const encoded = {
    ...message,
    ...(Array.isArray(content) && { content: content.map((part) => encodePart(part, isOpenAI)) }),
    // OpenAI rejects an empty list.
    ...(calls?.length && { tool_calls: calls.map(encodeCall) }),
  };
  return providerMessage?.format === "chat"
    ? { ...encoded, ...asObject(providerMessage.content) }
    : encoded;
}

function encodeTool({ is_error, ...message }: ToolMessage, isOpenAI: boolean): object {
  if (is_error) {
    rejectField(
      "is_error",
      API_NAME,
      "Report the failure in its content, and leave is_error out.",
    );
  }
  if (isOpenAI) rejectCacheControl(message);
  return message;
}

/** Encodes one message. `isOpenAI`: OpenAI's own rules apply. */
function encodeMessage(message: Message, isOpenAI: boolean): object {
  if (message.role === "assistant") return encodeAssistant(message, isOpenAI);
  const encoded = message.role === "tool" ? encodeTool(message, isOpenAI) : message;
  const { content } = message;
  return typeof content === "string"
    ? encoded
    : { ...encoded, content: content.map((part) => encodePart(part, isOpenAI)) };
}

/** Whether a message can be sent unchanged, as nearly all can. */
function isPlain(message: Message): boolean {
  if (typeof message.content !== "string" || message.role === "tool") return false;
  return message.role !== "assistant" || !(message.providerMessage || message.tool_calls);
}

/**
 * Encodes messages. `isOpenAI`: OpenAI's own rules apply.
 *
 * @throws {InvalidInputError} for what cannot be sent
 */
export function encodeMessages(
  messages: readonly Message[],
  isOpenAI: boolean,
): readonly object[] {
  return messages.every(isPlain) ? messages : encodeEach(messages, isOpenAI);
}

function encodeEach(messages: readonly Message[], isOpenAI: boolean): readonly object[] {
  return messages.map((message) => encodeMessage(message, isOpenAI));
}

/** Encodes tools: functions nested, all others unchanged. */
export function encodeTools(tools: readonly Tool[], isOpenAI: boolean): readonly object[] {
  return tools.map((tool) => {
    if (isOpenAI) rejectCacheControl(tool);
    // In the flat form of the Responses API.
    if (tool.type !== "function" || tool.function !== undefined) return tool;
    const { type, ...fn } = tool;
    return { type, function: fn };
  });
}
