/**
 * Refuses or drops what the history of a conversation contains besides text, thinking and calls of the
 * client's own tools, before messages are rewritten.
 *
 * The answers of hosted tools are dropped: the model's text says what it found. Items that refer to content
 * that only their provider has, such as a compacted history, are refused.
 *
 * Source: the types of the `openai` package 7.57 (`ResponseInputItem`) and of `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import { asObject, asObjects, type Json } from "../../../../json/json.ts";
import { isCallItem, isCallOutput } from "../../../../protocols/openai_responses/serve_tools.ts";
import { unsupportedField } from "./field_rules.ts";

const KNOWN_ITEMS: readonly unknown[] = ["message", "reasoning", "additional_tools"];
/** Records of what a hosted tool did. */
const HOSTED_ITEMS =
  /^(web_search_call|code_interpreter_call|image_generation_call|file_search_call|mcp_list_tools|mcp_call|compaction_trigger|configuration_update)$/;

function checkItems(input: unknown, who: string, dropped: Set<string>): void {
  for (const [i, item] of asObjects(input).entries()) {
    const { type } = item;
    if (type === undefined && item.role !== undefined || KNOWN_ITEMS.includes(type)) continue;
    if (isCallItem(item) && type !== "tool_search_call" || isCallOutput(item)) continue;
    if (type === "tool_search_call") {
      // The provider's own search has no call id.
      if (item.call_id) continue;
      dropped.add(`input[].${type}`);
    } else if (HOSTED_ITEMS.test(String(type))) dropped.add(`input[].${type}`);
    else {
      throw unsupportedField(
        `input[${i}]`,
        `input[${i}]: ${who} has no counterpart of items of type "${type}"`,
        "Send the conversation as messages, function calls and their outputs.",
      );
    }
  }
}

/** Parts of the model's turns that are carried, or are thinking. */
const KNOWN_BLOCKS: readonly unknown[] = ["text", "tool_use", "thinking", "redacted_thinking"];

function checkBlocks(messages: unknown, who: string, dropped: Set<string>): void {
  for (const [i, { role, content }] of asObjects(messages).entries()) {
    if (role !== "assistant") continue;
    for (const [k, { type }] of asObjects(content).entries()) {
      if (KNOWN_BLOCKS.includes(type)) continue;
      if (type === "compaction" || type === "container_upload") {
        const path = `messages[${i}].content[${k}]`;
        throw unsupportedField(path, `${path}: ${who} has no counterpart of type "${type}"`);
      }
      dropped.add(`messages[].content[].${type}`);
    }
  }
}

/** Parts of the model's turns that are carried, or only say how they were made. */
const KNOWN_PARTS: readonly string[] = [
  "text",
  "functionCall",
  "thought",
  "thoughtSignature",
  "partMetadata",
];

function checkContents(contents: unknown, dropped: Set<string>): void {
  for (const { role, parts } of asObjects(contents)) {
    if (role !== "model") continue;
    for (const part of asObjects(parts)) {
      for (const name in part) {
        if (!KNOWN_PARTS.includes(name)) dropped.add(`contents[].parts[].${name}`);
      }
    }
  }
}

function checkChatMessages(messages: unknown, dropped: Set<string>): void {
  for (const message of asObjects(messages)) {
    if (message.role !== "assistant") continue;
    if (asObject(message.audio) !== undefined) dropped.add("messages[].audio");
    for (const { type } of asObjects(message.content)) {
      if (type !== "text" && type !== "refusal" && type !== "thinking") {
        dropped.add(`messages[].content[].${type}`);
      }
    }
  }
}

/**
 * Checks the history in the body of a request in the format `format`.
 *
 * @throws {GatewayError} that names what cannot be carried
 */
export function checkHistory(format: string, body: Json, who: string, dropped: Set<string>): void {
  switch (format) {
    case "responses":
      return checkItems(body.input, who, dropped);
    case "claude":
      return checkBlocks(body.messages, who, dropped);
    case "gemini":
      return checkContents(body.contents, dropped);
    default:
      return checkChatMessages(body.messages, dropped);
  }
}
