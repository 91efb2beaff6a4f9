/**
 * Encodes conversations for Anthropic's Messages API.
 *
 * Sources: Anthropic API reference, "Messages"; "Mid-conversation system messages"; "Refusals and
 * fallback" (which blocks of an answer by several models may be sent back).
 *
 * @module
 */
import {
  type AssistantMessage,
  type CacheControl,
  isSystemMessage,
  type Message,
  type ToolMessage,
} from "../../chat/messages.ts";
import { InvalidInputError } from "../../errors.ts";
import { asObjects, type Json } from "../../json/json.ts";
import { encodeContent, withCacheControl } from "./content.ts";
import type { ClaudeModel } from "./model_features.ts";
import { encodeToolCall } from "./tools.ts";

/** One turn of the conversation. */
export interface Turn {
  role: "user" | "assistant" | "system";
  content: Json[];
}

/** Matches call ids that the API accepts. */
const TOOL_ID = /^[a-zA-Z0-9_-]+$/;

/**
 * Moves the prompt cache breakpoint of a message to its last block, where the API accepts it. Records for
 * LiteLLM and OpenRouter have it on the message if the content is a string.
 */
function marked(blocks: Json[], message: Message): Json[] {
  const { cache_control } = message as { cache_control?: CacheControl };
  const last = blocks.at(-1);
  if (!cache_control || last === undefined || last.cache_control !== undefined) return blocks;
  return blocks.with(-1, { ...last, cache_control });
}

/** Encodes the turns of one conversation. */
class ConversationEncoder {
  readonly system: Json[] = [];
  readonly turns: Turn[] = [];
  /** The index of the first message of each turn. */
  readonly #starts: number[] = [];
  /** The replacements for call ids that the API does not accept. */
  readonly #ids = new Map<string, string>();

  add(message: Message, index: number): void {
    if (isSystemMessage(message)) {
      const content = marked(encodeContent(message.content), message);
      if (this.turns.length === 0) this.system.push(...content);
      else this.#addTurn("system", content, index);
    } else if (message.role === "assistant") {
      this.#addTurn("assistant", marked(this.#encodeAssistant(message), message), index);
    } else if (message.role === "tool") {
      this.#addTurn("user", [this.#encodeToolResult(message)], index);
    } else {
      this.#addTurn("user", marked(encodeContent(message.content), message), index);
    }
  }

  /** Adds content to a turn. Consecutive turns of one role are merged: all tool results must be in one. */
  #addTurn(role: Turn["role"], content: Json[], index: number): void {
    // The API rejects empty turns.
    if (content.length === 0) return;
    const last = this.turns.at(-1);
    if (last?.role === role) {
      last.content = [...last.content, ...content];
    } else {
      this.turns.push({ role, content });
      this.#starts.push(index);
    }
  }

  #encodeAssistant(message: AssistantMessage): Json[] {
    const { providerMessage, content, refusal, tool_calls } = message;
    if (providerMessage?.format === "claude") return resendable(asObjects(providerMessage.content));
    const calls = (tool_calls ?? []).map((call) => encodeToolCall(call, this.#idOf(call.id)));
    return [...encodeContent(content || (refusal ?? "")), ...calls];
  }

  #encodeToolResult(message: ToolMessage): Json {
    const { tool_call_id, content, is_error } = message;
    const result: Json = {
      type: "tool_result",
      tool_use_id: this.#ids.get(tool_call_id) ?? tool_call_id,
      content: typeof content === "string" ? content : encodeContent(content),
    };
    if (is_error !== undefined) result.is_error = is_error;
    return withCacheControl(result, message);
  }

  /** Makes a call id valid: other providers use characters that the API rejects (`functions.f:0`, Kimi). */
  #idOf(id: string): string {
    if (TOOL_ID.test(id)) return id;
    const valid = id.replace(/[^a-zA-Z0-9_-]/g, "_") || `call_${this.#ids.size}`;
    this.#ids.set(id, valid);
    return valid;
  }

  /** Rejects system messages in positions where `model` does not accept them. */
  checkSystemTurns(name: string, model: ClaudeModel): void {
    if (!model.isKnown) return;
    for (const [i, turn] of this.turns.entries()) {
      if (turn.role !== "system") continue;
      const at = `messages[${this.#starts[i]}]`;
      if (!model.systemTurns) {
        throw new InvalidInputError(
          `${at}: ${name} does not accept system messages after the first turn`,
          { hint: "Put it at the start, or make it a user message." },
        );
      }
      const before = this.turns[i - 1];
      const follows = before.role === "user" || before.content.at(-1)?.type === "server_tool_use";
      if (!follows || this.turns[i + 1]?.role === "user") {
        throw new InvalidInputError(
          `${at}: Claude accepts a system message only between a user message and its answer`,
          { hint: "Put it right after the user message, or at the start." },
        );
      }
    }
  }
}

/** Blocks that the API rejects if their model then fell back to another. */
const BEFORE_FALLBACK: ReadonlySet<unknown> = new Set([
  "thinking",
  "redacted_thinking",
  "connector_text",
  "tool_use",
]);

/** The blocks of an answer that the API accepts back. */
function resendable(blocks: readonly Json[]): Json[] {
  const fallback = blocks.findLastIndex(({ type }) => type === "fallback");
  const answered = new Set(blocks.map(({ tool_use_id }) => tool_use_id));
  return blocks.filter((block, i) => {
    // Some answers have an empty text, which the API rejects in requests.
    if (block.type === "text") return typeof block.text === "string" && block.text.trim() !== "";
    if (i >= fallback) return true;
    if (block.type === "server_tool_use") return answered.has(block.id);
    return !BEFORE_FALLBACK.has(block.type);
  });
}

/**
 * Encodes a conversation as the system prompt at its start and its turns.
 *
 * @throws {InvalidInputError} for a part, or a position of a system message, that the model does not accept
 */
export function encodeMessages(
  messages: readonly Message[],
  name: string,
  model: ClaudeModel,
): { system: Json[]; turns: Turn[] } {
  const encoder = new ConversationEncoder();
  for (let i = 0; i < messages.length; i++) encoder.add(messages[i], i);
  encoder.checkSystemTurns(name, model);
  return encoder;
}
