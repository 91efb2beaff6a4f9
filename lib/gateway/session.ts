/**
 * Identifies the conversation that a call belongs to, so that its calls can stay at one endpoint: that is where
 * its prompt is cached.
 *
 * Sources: headers and fields as Claude Code 2.1, Codex CLI 0.171 and Gemini CLI send them; OpenAI API
 * reference, `prompt_cache_key` and `conversation`; Gemini API reference, `cachedContent`.
 *
 * @module
 */
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import { isAttribution } from "./attribution.ts";
import type { GatewayCall } from "./gateway_call.ts";

/** Headers that name a conversation, the most exact first. */
const HEADERS = [
  "x-claude-code-session-id",
  "session-id",
  "thread-id",
  "x-session-id",
  "session_id",
] as const;

/** Fields that name a conversation, or what it has stored at the provider. */
const FIELDS = ["prompt_cache_key", "conversation", "cachedContent", "cached_content"] as const;

/** Maximum characters of one text, and of all texts, that identify a prompt. */
const MAX_TEXT = 2000;
const MAX_TOTAL = 8000;
/** Maximum blocks of the system prompt, tools, and parts of a message that count. */
const MAX_ITEMS = 64;

/** A hash of texts that are added one after the other: FNV-1a, twice for 64 bits. */
class TextHash {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;
  #left = MAX_TOTAL;

  add(text: string): void {
    const length = Math.min(text.length, MAX_TEXT, this.#left);
    this.#left -= length;
    // The length keeps long texts with the same beginning apart.
    let low = this.#low ^ text.length;
    let high = this.#high ^ text.length;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b);
    }
    this.#low = low;
    this.#high = high;
  }

  toString(): string {
    return (this.#low >>> 0).toString(36) + (this.#high >>> 0).toString(36);
  }
}

/** Adds the texts of a message's content: text, or a list of parts in any of the formats. */
function addContent(hash: TextHash, content: unknown): void {
  if (typeof content === "string") return hash.add(content);
  const parts = Array.isArray(content) ? content.slice(0, MAX_ITEMS) : [content];
  for (const part of parts) {
    const text = typeof part === "string" ? part : asText(asObject(part)?.text);
    if (text !== undefined && !isAttribution(text)) hash.add(text);
  }
}

/** Adds the names of the tools: their schemas say nothing more about the conversation. */
function addTools(hash: TextHash, tools: unknown): void {
  for (const tool of asObjects(tools).slice(0, MAX_ITEMS)) {
    const name = asText(tool.name) ?? asText(asObject(tool.function)?.name) ?? asText(tool.type);
    hash.add(name ?? "");
  }
}

/** Adds the messages up to the first one of the user. Returns whether there is one. */
function addMessages(hash: TextHash, messages: unknown): boolean {
  for (const message of asObjects(messages).slice(0, MAX_ITEMS)) {
    addContent(hash, message.content ?? message.parts);
    if ((message.role ?? "user") === "user") return true;
  }
  return false;
}

/** A hash of the beginning of the prompt, which all calls of a conversation have in common. */
function beginningOf(body: Json): string | undefined {
  const hash = new TextHash();
  const system = asObject(body.systemInstruction) ?? asObject(body.system_instruction);
  addContent(hash, body.system ?? body.instructions ?? system?.parts);
  addTools(hash, body.tools);
  if (typeof body.input === "string") hash.add(body.input);
  else if (!addMessages(hash, body.messages ?? body.input ?? body.contents)) return undefined;
  return `prompt ${hash}`;
}

/** The session in `metadata.user_id`, which other clients use for the user. */
function claudeCodeSession({ metadata }: Json): string | undefined {
  const user = asText(asObject(metadata)?.user_id);
  return user?.includes("session") ? user : undefined;
}

/** Shortens a name: clients can send any. */
function bounded(name: string): string {
  if (name.length <= 128) return name;
  const hash = new TextHash();
  hash.add(name);
  return `${name.slice(0, 64)} ${hash}`;
}

/**
 * Identifies the conversation of a call: by what the client calls it, else by the beginning of the prompt.
 * Conversations of different callers are never the same. `undefined` if nothing identifies it.
 */
export function sessionOf(
  { headers, body, caller }: Pick<GatewayCall, "headers" | "body" | "caller">,
): string | undefined {
  for (const header of HEADERS) {
    const value = headers.get(header);
    if (value) return bounded(`${caller.id} ${value}`);
  }
  for (const field of FIELDS) {
    const value = asText(body[field]) ?? asText(asObject(body[field])?.id);
    if (value !== undefined) return bounded(`${caller.id} ${value}`);
  }
  const session = claudeCodeSession(body) ?? beginningOf(body);
  return session === undefined ? undefined : bounded(`${caller.id} ${session}`);
}
