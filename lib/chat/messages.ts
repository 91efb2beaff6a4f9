/**
 * Chat messages, in the form of OpenAI's Chat Completions API, which every provider's adapter
 * translates from.
 *
 * Source: OpenAI API reference, "Create chat completion", `messages`.
 *
 * @module
 */
import { partProblem } from "./part_problem.ts";
import type { ToolCall } from "./tool_call.ts";
import { show } from "./show.ts";
import { toolCallsProblem } from "./tool_call.ts";

/** A piece of text in a message. */
export interface TextPart {
  /** Says that this is a {@link TextPart}. */
  type: "text";
  /** The text. */
  text: string;
  /** Marks the end of a prefix to cache, for providers that support it. */
  cache_control?: CacheControl;
}

/**
 * A prompt cache breakpoint, as Anthropic defines it; OpenRouter and others also accept it.
 *
 * Source: Anthropic API reference, "Prompt caching".
 */
export interface CacheControl {
  /** The only type there is. */
  type: "ephemeral";
  /** How long the prefix stays cached; default five minutes. */
  ttl?: "5m" | "1h";
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
  /** See {@link TextPart.cache_control}. */
  cache_control?: CacheControl;
}

/**
 * A file in a user message: all providers accept PDFs; other types depend on the provider.
 *
 * Source: OpenAI API reference, "Create chat completion", `messages[].content[].file`.
 */
export interface FilePart {
  /** Says that this is a {@link FilePart}. */
  type: "file";
  /** Where the file is: its data or its id. */
  file: {
    /**
     * `data:application/pdf;base64,…`, an `http(s)` URL, or a local path, which is read when it is sent:
     * at most 32 MB.
     */
    file_data?: string;
    /** The id of a file that was uploaded to the provider. */
    file_id?: string;
    /** The name that the model sees; default the last part of the path or URL. */
    filename?: string;
  };
  /** See {@link TextPart.cache_control}. */
  cache_control?: CacheControl;
}

/**
 * Audio in a user message.
 *
 * Source: OpenAI API reference, "Create chat completion", `messages[].content[].input_audio`.
 */
export interface AudioPart {
  /** Says that this is an {@link AudioPart}. */
  type: "input_audio";
  /** The audio. */
  input_audio: {
    /**
     * Base64, a `data:audio/…;base64,…` URL, an `http(s)` URL, or a local path, which is read when it is
     * sent: at most 20 MB.
     */
    data: string;
    /** `wav`, `mp3`, …; detected from the data by default. */
    format?: string;
  };
}

/**
 * A document in Anthropic's form. It is sent to Claude unchanged, and to others as a {@link FilePart}.
 *
 * Source: Anthropic API reference, "Messages", `messages[].content[]` of type `document`.
 */
export interface DocumentPart {
  /** Says that this is a {@link DocumentPart}. */
  type: "document";
  /** Where the document is. */
  source:
    | { type: "base64"; media_type: string; data: string }
    | { type: "url"; url: string }
    | { type: "text"; media_type: string; data: string }
    | { type: "file"; file_id: string }
    | { type: "content"; content: unknown };
  /** The name that the model sees. */
  title?: string | null;
  /** Context about the document for the model. */
  context?: string | null;
  /** Whether the model cites it. */
  citations?: { enabled?: boolean } | null;
  /** See {@link TextPart.cache_control}. */
  cache_control?: CacheControl;
}

/** One part of a message's content. */
export type ContentPart = TextPart | ImagePart | FilePart | AudioPart | DocumentPart;

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
export interface ProviderMessage {
  /** The name of its wire format: `chat`, `responses`, `claude` or `gemini`. */
  format: string;
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
  /** Why the model refused to answer, where it did. */
  refusal?: string | null;
  /** The same turn as its provider gave it; wins over the other fields when it is sent there. */
  native?: ProviderMessage;
  /** Tells speakers of one role apart. */
  name?: string;
}

/** The result of a tool call, for the model to read. */
export interface ToolMessage {
  /** Who speaks. */
  role: "tool";
  /** The `id` of the {@link ToolCall} this answers. */
  tool_call_id: string;
  /** What the tool returned; images and documents where the provider takes them in tool results. */
  content: string | ContentPart[];
  /** Whether the tool failed; sent to providers that support it. */
  is_error?: boolean;
  /** See {@link TextPart.cache_control}. */
  cache_control?: CacheControl;
}

/** One message of a conversation. */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/** Whether `message` holds instructions rather than a turn of the conversation. */
export function isSystemMessage(message: Message): message is SystemMessage {
  return message.role === "system" || message.role === "developer";
}

const ROLES = ["system", "developer", "user", "assistant", "tool"];

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
    const problem = partProblem(part);
    if (problem !== undefined) return `${at()}.content[${i}]${problem}`;
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
    const problem = contentProblem(message, at) ??
      (message.role === "assistant" ? toolCallsProblem(message.tool_calls, at) : undefined);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
