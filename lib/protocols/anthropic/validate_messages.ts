/**
 * Validates messages and the system prompt as Anthropic does.
 *
 * Source: Anthropic API reference, "Messages", the types of `@anthropic-ai/sdk` 1.12, and error messages
 * as users report them ("`tool_use` ids were found without `tool_result` blocks immediately after").
 *
 * @module
 */
import { asObjects } from "../../json/json.ts";
import { anthropicWording as wording } from "./validate_wording.ts";
import { Fields, reject } from "../body_checks.ts";

/** Counts the blocks with `cache_control`. */
export interface Breakpoints {
  count: number;
}

const BLOCKS =
  /^(text|image|document|search_result|(redacted_)?thinking|tool_use|server_tool_use|mcp_tool_use|container_upload|compaction|\w+_tool_result|tool_result)$/;
const IMAGES = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const ID = /^[a-zA-Z0-9_-]+$/;

function checkSource(block: Fields, type: "image" | "document"): void {
  const given = block.requiredObject("source");
  const kinds = type === "image"
    ? ["base64", "url", "file"]
    : ["base64", "text", "content", "url", "file"];
  const kind = given.required("type").choice("type", kinds)!;
  const source = new Fields(wording, given.value, `${block.path}.${type}.source.${kind}`);
  switch (kind) {
    case "base64":
      source.required("media_type", "data").string("data");
      source.choice("media_type", type === "image" ? IMAGES : ["application/pdf"]);
      break;
    case "text":
      source.required("data").string("data");
      source.choice("media_type", ["text/plain"]);
      break;
    case "content":
      source.required("content");
      break;
    case "url":
      source.required("url").string("url");
      break;
    case "file":
      source.required("file_id").string("file_id");
  }
}

/** Tool results and documents belong in user messages, tool calls in assistant messages. */
function checkPosition(block: Fields, type: string, role: string, newest: boolean): void {
  if (type === "tool_result" && role !== "user") {
    reject(`${block.path}: \`tool_result\` blocks can only be in \`user\` messages`);
  }
  if (type === "tool_use" && role !== "assistant") {
    reject(`${block.path}: \`tool_use\` blocks can only be in \`assistant\` messages`);
  }
  if (newest && type === "document" && role === "assistant") {
    reject(`${block.path}: \`document\` blocks can only be in \`user\` messages`);
  }
  if (newest && type === "text" && role === "user" && asObjects(block.value.citations).length > 0) {
    reject(`${block.path}.text.citations: citations can only be in \`assistant\` messages`);
  }
}

function checkText(block: Fields, where: string): void {
  const text = block.required("text").string("text");
  if (text === "") reject(`${where}: text content blocks must be non-empty`);
}

function checkCacheControl(block: Fields, breakpoints: Breakpoints): void {
  const cache = block.object("cache_control");
  if (cache === undefined) return;
  cache.required("type").choice("type", ["ephemeral"]);
  cache.choice("ttl", ["5m", "1h"]);
  breakpoints.count++;
}

function checkBlock(block: Fields, role: string, newest: boolean): void {
  const type = block.required("type").string("type")!;
  if (!BLOCKS.test(type)) {
    reject(
      `${block.path}: Input tag '${type}' found using 'type' does not match any of the expected tags: 'document', 'image', 'redacted_thinking', 'search_result', 'text', 'thinking', 'tool_result', 'tool_use'`,
    );
  }
  checkPosition(block, type, role, newest);
  const typed = new Fields(wording, block.value, `${block.path}.${type}`);
  switch (type) {
    case "text":
      checkText(typed, "messages");
      break;
    case "image":
    case "document":
      checkSource(block, type);
      break;
    case "thinking":
      typed.required("thinking", "signature").string("signature");
      break;
    case "tool_use":
      typed.required("id", "name", "input").object("input");
      if (!ID.test(typed.string("id")!)) {
        reject(`${typed.at("id")}: String should match pattern '^[a-zA-Z0-9_-]+$'`);
      }
      break;
    case "tool_result":
      typed.required("tool_use_id").string("tool_use_id");
      typed.boolean("is_error");
      if (typeof block.value.content !== "string") typed.array("content");
  }
}

/** The ids in a turn's blocks of one type. */
function idsOf(turn: Turn, type: string, field: string): unknown[] {
  return turn.blocks.filter((block) => block.type === type).map((block) => block[field]);
}

interface Turn {
  role: string;
  /** The index of its first message. */
  at: number;
  blocks: Record<string, unknown>[];
}

/** Every call needs a result in the next turn, and every result needs a call in the previous one. */
function checkPairs(turns: readonly Turn[]): void {
  for (const [i, turn] of turns.entries()) {
    const results = idsOf(turn, "tool_result", "tool_use_id");
    const before = turns[i - 1];
    const offered = before === undefined ? [] : idsOf(before, "tool_use", "id");
    const stray = results.find((id) => !offered.includes(id));
    if (stray !== undefined) {
      reject(
        `messages.${turn.at}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    }
    const next = turns[i + 1];
    const answered = next === undefined ? [] : idsOf(next, "tool_result", "tool_use_id");
    const open = idsOf(turn, "tool_use", "id").filter((id) => !answered.includes(id));
    if (open.length > 0) {
      reject(
        `messages.${turn.at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${
          open.join(", ")
        }. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
  }
}

/** Checks the messages. `newest` applies the rules of version 2026-10-21. */
export function checkTurns(body: Fields, breakpoints: Breakpoints, newest: boolean): void {
  const messages = body.required("messages").objects("messages")!;
  if (messages.length === 0) reject("messages: at least one message is required");
  const turns: Turn[] = [];
  for (const [i, message] of messages.entries()) {
    const role = message.required("role").choice("role", ["user", "assistant", "system"])!;
    const { content } = message.required("content").value;
    const blocks = typeof content === "string" ? [] : message.objects("content")!;
    const isLast = i === messages.length - 1;
    const isEmpty = typeof content === "string" ? content === "" : blocks.length === 0;
    if (isEmpty && !(isLast && role === "assistant")) {
      reject(`messages.${i}: ${role} messages must have non-empty content`);
    }
    for (const block of blocks) {
      checkBlock(block, role, newest);
      checkCacheControl(block, breakpoints);
    }
    // Consecutive messages with the same role form one turn.
    const last = turns.at(-1);
    const values = blocks.map(({ value }) => value);
    if (last?.role === role) last.blocks.push(...values);
    else turns.push({ role, at: i, blocks: values });
  }
  checkPairs(turns.filter(({ role }) => role !== "system"));
}

/** Checks the system prompt: a string, or text blocks. */
export function checkSystem(body: Fields, breakpoints: Breakpoints): void {
  if (typeof body.value.system === "string") return;
  for (const block of body.objects("system") ?? []) {
    block.required("type").choice("type", ["text"]);
    checkText(block, "system");
    checkCacheControl(block, breakpoints);
  }
}
