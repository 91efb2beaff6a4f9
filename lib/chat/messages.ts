/**
 * Chat messages, in the form of OpenAI's Chat Completions API, which every provider's adapter
 * translates from.
 *
 * Source: OpenAI API reference, "Create chat completion", `messages`.
 *
 * @module
 */
import type { ToolCall } from "./result.ts";

/** A piece of text in a message. */
export interface TextPart {
  /** Says that this is a {@link TextPart}. */
  type: "text";
  /** The text. */
  text: string;
}

/** An image in a user message. */
export interface ImagePart {
  /** Says that this is an {@link ImagePart}. */
  type: "image_url";
  /** Where the image is. */
  image_url: {
    /**
     * `https://…`, `data:image/png;base64,…`, or a local file, which is read when it is sent: PNG, JPEG,
     * GIF or WebP of at most 20 MB.
     */
    url: string;
    /** How closely the model looks; the provider's default when absent. */
    detail?: "auto" | "low" | "high";
  };
}

/** One part of a message's content. */
export type ContentPart = TextPart | ImagePart;

/** Instructions for the model; `developer` is OpenAI's newer name for `system`. */
export interface SystemMessage {
  /** Who speaks. */
  role: "system" | "developer";
  /** What is said. */
  content: string | TextPart[];
  /** Tells speakers of one role apart. */
  name?: string;
}

/** What the user says. */
export interface UserMessage {
  /** Who speaks. */
  role: "user";
  /** What is said and shown. */
  content: string | ContentPart[];
  /** Tells speakers of one role apart. */
  name?: string;
}

/**
 * An assistant message as its provider gave it: thinking with its signatures, hidden thinking, items
 * that only this provider knows. Sent back unchanged to the same provider, passed over by all others.
 */
export interface NativeMessage {
  /** The wire format that it belongs to. */
  format: "chat" | "responses" | "claude" | "gemini";
  /** The provider's own content, as it came. */
  content: unknown;
}

/** What the model said in an earlier turn. {@link ChatResult.message} is one, ready to go back. */
export interface AssistantMessage {
  /** Who speaks. */
  role: "assistant";
  /** May be `null` or absent when there are tool calls. */
  content?: string | TextPart[] | null;
  /** The tools that the model called. */
  tool_calls?: ToolCall[];
  /** The same turn as its provider gave it; wins over the other fields when it is sent there. */
  native?: NativeMessage;
  /** Tells speakers of one role apart. */
  name?: string;
}

/** The result of a tool call, for the model to read. */
export interface ToolMessage {
  /** Who speaks. */
  role: "tool";
  /** The `id` of the {@link ToolCall} this answers. */
  tool_call_id: string;
  /** What the tool gave back. */
  content: string | TextPart[];
}

/** One message of a conversation. */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/** Whether `message` holds instructions rather than a turn of the conversation. */
export function isSystemMessage(message: Message): message is SystemMessage {
  return message.role === "system" || message.role === "developer";
}

const ROLES = ["system", "developer", "user", "assistant", "tool"];

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function contentProblem(message: Record<string, unknown>, at: () => string): string | undefined {
  const { role, content } = message;
  if (typeof content === "string") return undefined;
  if (content === null || content === undefined) {
    return role === "assistant"
      ? undefined
      : `${at()}.content: expected a string or an array of parts, got ${show(content)}`;
  }
  if (!Array.isArray(content)) {
    return `${at()}.content: expected a string or an array of parts, got ${show(content)}`;
  }
  for (const [i, part] of content.entries()) {
    if (typeof part !== "object" || part === null || typeof part.type !== "string") {
      return `${at()}.content[${i}]: expected an object with a "type", got ${show(part)}`;
    }
    if (part.type === "text" && typeof part.text !== "string") {
      return `${at()}.content[${i}].text: expected a string, got ${show(part.text)}`;
    }
    if (part.type === "image_url" && typeof part.image_url?.url !== "string") {
      return `${at()}.content[${i}].image_url.url: expected a string, got ${
        show(part.image_url?.url)
      }`;
    }
  }
  return undefined;
}

/**
 * Says what is wrong with a list of messages: the path of the field, what was expected and what was
 * there; `undefined` when they are good.
 */
export function messagesProblem(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return `messages: expected an array, got ${show(messages)}`;
  if (messages.length === 0) return "messages: expected at least one message, got none";
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i];
    // Most messages are good, so their path is made only when one is not.
    const at = () => `messages[${i}]`;
    if (typeof message !== "object" || message === null || Array.isArray(message)) {
      return `${at()}: expected an object with "role" and "content", got ${show(message)}`;
    }
    if (!ROLES.includes(message.role)) {
      return `${at()}.role: expected one of ${ROLES.join(", ")}, got ${show(message.role)}`;
    }
    if (message.role === "tool" && typeof message.tool_call_id !== "string") {
      return `${at()}.tool_call_id: expected a string, got ${show(message.tool_call_id)}`;
    }
    const problem = contentProblem(message, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
