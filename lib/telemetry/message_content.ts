/**
 * Converts messages to the form in which spans and events carry them: a role and parts.
 *
 * Source: open-telemetry/semantic-conventions-genai, `gen-ai-input-messages.json`, `gen-ai-output-messages.json`,
 * `gen-ai-system-instructions.json` and `gen-ai-tool-definitions.json`.
 *
 * @module
 */
import { type AssistantMessage, isSystemMessage, type Message } from "../chat/messages.ts";
import { isFunctionTool, type Tool } from "../chat/options.ts";
import type { FinishReason } from "../chat/result.ts";
import type { ToolCall } from "../chat/tool_call.ts";

/** A part of a message. Its type determines the other fields. */
export interface RecordedPart {
  type: string;
  [field: string]: unknown;
}

/** A message. */
export interface RecordedMessage {
  role: string;
  parts: RecordedPart[];
  name?: string;
  finish_reason?: string;
}

/** An answer, or the part of one that arrived. */
export interface RecordedAnswer {
  content: string;
  thinking?: string | null;
  refusal?: string | null;
  toolCalls?: readonly ToolCall[];
  finishReason?: FinishReason;
}

const FINISH_REASONS: Partial<Record<FinishReason, string>> = { tool_calls: "tool_call" };

function text(content: string): RecordedPart {
  return { type: "text", content };
}

/** Parsed arguments, since they are an object in this form; text if they are not JSON. */
function argumentsOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

function toolCall(call: ToolCall): RecordedPart {
  const { name, arguments: json } = call.function ?? {};
  return { type: "tool_call", id: call.id, name, arguments: argumentsOf(json ?? "") };
}

/** An attachment, as data or as a reference. Its data is left out: it would exceed what any collector accepts. */
function attachment(modality: string, source: string | undefined, mime?: string): RecordedPart {
  const data = source === undefined ? undefined : /^data:([^;,]*)/.exec(source);
  if (data === null && /^[a-z]+:/i.test(source!)) return { type: "uri", modality, uri: source };
  return { type: "blob", modality, mime_type: data?.[1] ?? mime, content: "" };
}

function part(value: Exclude<Message["content"], string | null | undefined>[number]): RecordedPart {
  switch (value.type) {
    case "text":
      return text(value.text);
    case "image_url":
      return attachment("image", value.image_url?.url);
    case "input_audio":
      return attachment("audio", value.input_audio?.data, value.input_audio?.format);
    case "file": {
      const { file_id, file_data, filename } = value.file ?? {};
      if (file_id !== undefined) return { type: "file", modality: "document", file_id };
      return { ...attachment("document", file_data), filename };
    }
    case "document":
      return { type: "document", modality: "document", title: value.title };
    default:
      return { type: String((value as { type?: unknown }).type) };
  }
}

function parts(content: Message["content"]): RecordedPart[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return content === "" ? [] : [text(content)];
  return content.map(part);
}

function assistantParts({ content, refusal, tool_calls = [] }: AssistantMessage): RecordedPart[] {
  return [...parts(content ?? refusal), ...tool_calls.map(toolCall)];
}

function message(value: Message): RecordedMessage {
  const { role } = value;
  const name = "name" in value && value.name !== undefined ? { name: value.name } : {};
  if (role === "assistant") return { role, parts: assistantParts(value), ...name };
  if (role !== "tool") return { role, parts: parts(value.content), ...name };
  const { content, tool_call_id: id } = value;
  const response = typeof content === "string" ? content : parts(content);
  return { role, parts: [{ type: "tool_call_response", id, response }] };
}

/** The instructions of a conversation. */
export function systemParts(messages: readonly Message[]): RecordedPart[] {
  return messages.filter(isSystemMessage).flatMap(({ content }) => parts(content));
}

/** The messages of a conversation without its instructions. */
export function inputMessages(messages: readonly Message[]): RecordedMessage[] {
  return messages.filter((each) => !isSystemMessage(each)).map(message);
}

/** The answer. */
export function outputMessages(answer: RecordedAnswer): RecordedMessage[] {
  const { content, thinking, refusal, toolCalls = [], finishReason } = answer;
  const all: RecordedPart[] = thinking ? [{ type: "reasoning", content: thinking }] : [];
  all.push(...parts(content || refusal), ...toolCalls.map(toolCall));
  // Interrupted answers have no finish reason.
  const reason = finishReason === undefined ? "error" : recordedReason(finishReason);
  return [{ role: "assistant", parts: all, finish_reason: reason }];
}

/** Why the model stopped, as the conventions name it. */
export function recordedReason(reason: FinishReason): string {
  return FINISH_REASONS[reason] ?? reason;
}

/** The tools, in a form that all providers share. */
export function toolDefinitions(tools: readonly Tool[]): RecordedPart[] {
  return tools.map((tool) => {
    if (isFunctionTool(tool)) {
      const { name, description, parameters } = tool.function;
      return { type: "function", name, description, parameters };
    }
    const type = String(tool.type ?? Object.keys(tool)[0] ?? "unknown");
    return { type, name: String(tool.name ?? type) };
  });
}
