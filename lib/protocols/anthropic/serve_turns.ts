/**
 * Decodes the turns of a Messages API request into messages.
 *
 * Source: Anthropic API reference, "Messages".
 *
 * @module
 */
import type { AssistantMessage, ContentPart, Message, ToolMessage } from "../../chat/messages.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { readEnvelopes } from "../envelope_parts.ts";
import { isUnsignedBlock } from "../unsigned_thinking.ts";
import { located, pathOf } from "../source_path.ts";
import { argumentsOf } from "./decode.ts";

function decodeBlock(block: Json): ContentPart {
  const { type, source: given, cache_control } = block;
  const source = asObject(given);
  const url = source?.type === "url"
    ? asText(source.url)
    : source?.type === "base64"
    ? `data:${source.media_type};base64,${source.data}`
    : undefined;
  // Documents have a part of their own; other blocks are sent back to Anthropic unchanged.
  if (type !== "image" || url === undefined) return block as unknown as ContentPart;
  const image = { type: "image_url", image_url: { url } };
  const part = cache_control === undefined ? image : { ...image, cache_control };
  const path = pathOf(block);
  return (path === undefined ? part : located(part, path)) as ContentPart;
}

/** A single plain text is written as a string. */
function decodeContent(content: unknown): string | ContentPart[] {
  if (!Array.isArray(content)) return content as string;
  const blocks = asObjects(content);
  const [{ type, text, ...others } = {} as Json] = blocks;
  const isPlain = blocks.length === 1 && type === "text" && typeof text === "string" &&
    Object.keys(others).length === 0;
  return isPlain ? text : blocks.map(decodeBlock);
}

function decodeToolResult(block: Json): ToolMessage {
  const { tool_use_id, content, is_error, cache_control } = block;
  const message: Json = {
    role: "tool",
    tool_call_id: tool_use_id,
    content: decodeContent(content ?? ""),
  };
  if (is_error !== undefined && is_error !== null) message.is_error = is_error;
  if (cache_control !== undefined && cache_control !== null) message.cache_control = cache_control;
  return message as unknown as ToolMessage;
}

/** A user turn: its tool results are messages of their own. */
function* decodeUser(content: unknown, path: string): Generator<Message> {
  if (!Array.isArray(content)) {
    yield located({ role: "user", content: content as string }, path);
    return;
  }
  let blocks: Json[] = [];
  const flush = function* (): Generator<Message> {
    if (blocks.length > 0) yield located({ role: "user", content: decodeContent(blocks) }, path);
    blocks = [];
  };
  for (const [i, block] of asObjects(content).entries()) {
    const at = `${path}.content[${i}]`;
    if (block.type !== "tool_result") {
      blocks.push(located(block, at));
      continue;
    }
    yield* flush();
    yield located(decodeToolResult(block), at);
  }
  yield* flush();
}

/** Whether fields of an assistant message can hold the block. */
function isPortable({ type, citations }: Json): boolean {
  return type === "tool_use" || type === "text" && asObjects(citations).length === 0;
}

function decodeAssistant(content: unknown): AssistantMessage {
  if (!Array.isArray(content)) return { role: "assistant", content: content as string };
  const { parts: blocks, providerMessage } = readEnvelopes(
    asObjects(content).filter((block) => !isUnsignedBlock(block)),
    ({ type, data }) => type === "redacted_thinking" ? data : undefined,
  );
  const texts = blocks.filter(({ type }) => type === "text");
  const calls = blocks.filter(({ type }) => type === "tool_use").map(({ id, name, input }) => ({
    id,
    type: "function",
    function: { name, arguments: argumentsOf(input) },
  }));
  const message: Json = { role: "assistant" };
  message.content = texts.length > 0 ? decodeContent(texts) : calls.length > 0 ? null : "";
  if (calls.length > 0) message.tool_calls = calls as unknown as ToolCall[];
  if (providerMessage !== undefined) message.providerMessage = providerMessage;
  else if (!blocks.every(isPortable)) {
    message.providerMessage = { format: "claude", content: blocks };
  }
  return message as unknown as AssistantMessage;
}

/** Decodes `messages`. */
export function decodeTurns(turns: unknown): Message[] {
  return asObjects(turns).flatMap(({ role, content }, i): Message[] => {
    const path = `messages[${i}]`;
    if (role === "assistant") return [located(decodeAssistant(content), path)];
    if (role === "user") return [...decodeUser(content, path)];
    return [located({ role, content: decodeContent(content) } as Message, path)];
  });
}
