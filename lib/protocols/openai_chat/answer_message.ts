/**
 * Decodes the parts of an assistant message of Chat Completions, whole or as a delta.
 *
 * Sources: OpenAI API reference, "Chat Completions"; the answers of DeepSeek, SGLang
 * (`reasoning_content`), vLLM, Groq, Ollama, OpenRouter (`reasoning`), MiniMax (`reasoning_details`
 * alone) and Mistral (`thinking` and `reference` parts in `content`).
 *
 * @module
 */
import type { ProviderMessage } from "../../chat/messages.ts";
import type { Citation } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { decodeCitation, decodeCitations } from "../citations.ts";

/** The text of a message's `content`: a string, or the text parts of an array. */
export function decodeContent(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => asObject(part)?.text).filter((text) => typeof text === "string")
    .join("");
}

/** The thinking text of a message or a delta, under any of its names. */
export function decodeThinking(message: Json): string | undefined {
  const thinking = asText(message.reasoning_content) ?? asText(message.reasoning);
  if (thinking !== undefined) return thinking;
  if (Array.isArray(message.content)) {
    // Mistral: the content is an array with thinking parts in it.
    const parts = asObjects(message.content).filter(({ type }) => type === "thinking");
    return asText(parts.map(({ thinking }) => decodeContent(thinking)).join(""));
  }
  if (!Array.isArray(message.reasoning_details)) return undefined;
  const details = asObjects(message.reasoning_details);
  return asText(details.map(({ text, summary }) => asText(text) ?? asText(summary) ?? "").join(""));
}

const NO_CITATIONS: readonly Citation[] = [];

/** The citations in a message: annotations, and references in its content. */
export function messageCitations(message: Json): readonly Citation[] {
  // Nearly all messages: this is the hot path.
  if (
    message.annotations === undefined && message.citations === undefined &&
    typeof message.content === "string"
  ) return NO_CITATIONS;
  const annotations = asObjects(message.annotations).filter(({ type }) => type !== "file");
  const parts = asObjects(message.content).filter(({ type }) => type === "reference");
  return [
    ...decodeCitations(annotations),
    ...decodeCitations(message.citations),
    ...parts.map((part) => decodeCitation(part)!),
  ];
}

/** The citations at the top level of an answer or a chunk, where search services put them. */
export function answerCitations(
  { search_results: results, citations: cited, web_search: pages }: Json,
): readonly Citation[] {
  // Nearly all answers: this is the hot path.
  if (results === undefined && cited === undefined && pages === undefined) return NO_CITATIONS;
  for (const list of [results, cited, pages]) {
    const citations = decodeCitations(list);
    if (citations.length > 0) return citations;
  }
  return NO_CITATIONS;
}

/** Tool call arguments as text; some servers send the object itself. */
export function decodeArguments(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

/** Fields of a tool call that {@link ToolCall} covers, or that only streams have. */
const CALL_FIELDS: ReadonlySet<string> = new Set(["id", "type", "function", "custom", "index"]);

/** The service-specific fields of a tool call, such as Gemini's `extra_content`. */
export function callExtras(call: Json): Json | undefined {
  return extras(call, CALL_FIELDS);
}

function extras(value: Json, known: ReadonlySet<string>): Json | undefined {
  let found: Json | undefined;
  for (const name in value) {
    const field = value[name];
    if (field === null || field === undefined || known.has(name)) continue;
    if (Array.isArray(field) && field.length === 0) continue;
    (found ??= {})[name] = field;
  }
  return found;
}

/**
 * The custom part of a tool call; `undefined` if it calls a function. Servers whose objects have every field
 * (Snowflake) send an empty one next to the function.
 */
export function customCall({ custom, function: fn }: Json): Json | undefined {
  const call = asObject(custom);
  const isEmpty = asText(call?.name) === undefined && asText(call?.input) === undefined;
  return isEmpty && asObject(fn) !== undefined ? undefined : call;
}

/** The legacy `function_call`; `undefined` if there is none, or an empty one. */
export function functionCall(message: Json): Json | undefined {
  const call = asObject(message.function_call);
  if (call === undefined) return undefined;
  const isEmpty = asText(call.name) === undefined && decodeArguments(call.arguments) === "";
  return isEmpty ? undefined : call;
}

/** A decoded tool call and its service-specific fields. */
export interface DecodedCall {
  call: ToolCall;
  extras: Json | undefined;
}

function decodeCall(item: unknown, index: number): DecodedCall {
  const raw = asObject(item) ?? {};
  const custom = customCall(raw);
  const fn = asObject(raw.function);
  const call: ToolCall = {
    id: asText(raw.id) ?? `call_${index}`,
    type: "function",
    function: {
      name: asText(fn?.name) ?? "",
      arguments: decodeArguments(fn?.arguments) || "{}",
    },
  };
  if (custom !== undefined) {
    call.type = "custom";
    call.function = { name: asText(custom.name) ?? "", arguments: asText(custom.input) ?? "" };
  }
  return { call, extras: callExtras(raw) };
}

/** Decodes the tool calls of a message, including the legacy `function_call`. */
export function decodeToolCalls(message: Json): DecodedCall[] {
  const { tool_calls: calls } = message;
  if (Array.isArray(calls) && calls.length > 0) return calls.map(decodeCall);
  const only = functionCall(message);
  return only === undefined ? [] : [decodeCall({ function: only }, 0)];
}

/** Fields of a message that {@link ChatResult} covers. */
const MESSAGE_FIELDS: ReadonlySet<string> = new Set([
  "index",
  "role",
  "content",
  "refusal",
  "tool_calls",
  "function_call",
  "citations",
]);

/** The service-specific fields of a message. */
export function messageExtras(message: Json): Json | undefined {
  return extras(message, MESSAGE_FIELDS);
}

/**
 * The provider message: what a service needs back in the next turn but the result's other fields cannot
 * hold; `undefined` if there is nothing.
 *
 * Sources: DeepSeek, "Thinking Mode" (`reasoning_content`); OpenRouter, "Preserving Reasoning Blocks" and
 * "PDF Inputs" (annotations of type `file`); Gemini API, "OpenAI compatibility" (`extra_content` of tool
 * calls); OpenAI API reference (`audio` goes back as its id); Groq API reference (`executed_tools` has
 * no field in requests).
 */
export function nativeMessage(
  content: unknown,
  extras: Json | undefined,
  calls: readonly DecodedCall[],
): ProviderMessage | undefined {
  if (extras === undefined && calls.length === 0 && !Array.isArray(content)) return undefined;
  const { executed_tools: _, annotations, audio, ...fields } = extras ?? {};
  if (asObjects(annotations).some(({ type }) => type === "file")) fields.annotations = annotations;
  const id = asText(asObject(audio)?.id);
  if (id !== undefined) fields.audio = { id };
  if (asObjects(content).some(({ type }) => type !== "text")) fields.content = content;
  if (calls.some(({ extras }) => extras !== undefined)) {
    fields.tool_calls = calls.map(({ call, extras }) => ({ ...encodeCall(call), ...extras }));
  }
  return Object.keys(fields).length === 0 ? undefined : { format: "chat", content: fields };
}

/** Encodes a tool call, with its service-specific fields. */
export function encodeCall({ id, type, function: fn, ...rest }: ToolCall): object {
  if (type === "custom") {
    return { id, type, custom: { name: fn.name, input: fn.arguments }, ...rest };
  }
  return { id, type, function: fn.arguments === "" ? { ...fn, arguments: "{}" } : fn, ...rest };
}
