/**
 * Chat messages in the form of OpenAI's Chat Completions API, and their validation.
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
  /** Identifies this as a {@link TextPart}. */
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
  /** The only type. */
  type: "ephemeral";
  /**
   * How long the prefix stays cached.
   *
   * @default "5m"
   */
  ttl?: "5m" | "1h";
}

/** An image in a user message. */
export interface ImagePart {
  /** Identifies this as an {@link ImagePart}. */
  type: "image_url";
  /** The image: a URL, its data or a local path. */
  image_url: {
    /**
     * `https://…`, `data:image/png;base64,…`, or a local path, which is read when the request is sent:
     * PNG, JPEG, GIF or WebP, up to 20 MB.
     */
    url: string;
    /**
     * The resolution at which the model sees the image.
     *
     * @default the provider's own
     */
    detail?: "auto" | "low" | "high";
  };
  /** See {@link TextPart.cache_control}. */
  cache_control?: CacheControl;
}

/**
 * A file in a user message. All providers accept PDFs; other types depend on the provider.
 *
 * Source: OpenAI API reference, "Create chat completion", `messages[].content[].file`.
 */
export interface FilePart {
  /** Identifies this as a {@link FilePart}. */
  type: "file";
  /** The file: its data or its id. */
  file: {
    /**
     * `data:application/pdf;base64,…`, an `http(s)` URL, or a local path, which is read when the request
     * is sent: up to 32 MB.
     */
    file_data?: string;
    /** The id of a file uploaded to the provider. */
    file_id?: string;
    /**
     * The name that the model sees.
     *
     * @default the last part of the path or URL
     */
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
  /** Identifies this as an {@link AudioPart}. */
  type: "input_audio";
  /** The audio. */
  input_audio: {
    /**
     * Base64, a `data:audio/…;base64,…` URL, an `http(s)` URL, or a local path, which is read when the
     * request is sent: up to 20 MB.
     */
    data: string;
    /**
     * `wav`, `mp3`, ….
     *
     * @default detected from the data
     */
    format?: string;
  };
}

/**
 * A document in Anthropic's form. It is sent to Claude unchanged, and to others as a {@link FilePart}.
 *
 * Source: Anthropic API reference, "Messages", `messages[].content[]` of type `document`.
 */
export interface DocumentPart {
  /** Identifies this as a {@link DocumentPart}. */
  type: "document";
  /** The document: its data, text, URL or id. */
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

/** Instructions for the model. `developer` is OpenAI's newer name for `system`. */
export interface SystemMessage {
  /** The author of the message. */
  role: "system" | "developer";
  /** The instructions. */
  content: string | TextPart[];
  /** Distinguishes participants with the same role. */
  name?: string;
}

/** A message from the user. */
export interface UserMessage {
  /** The author of the message. */
  role: "user";
  /** The text, or a list of parts: text, images, files, audio. */
  content: string | ContentPart[];
  /** Distinguishes participants with the same role. */
  name?: string;
}

/**
 * An assistant message in the provider's own form, with parts that only that provider understands: signed or
 * hidden thinking, reasoning items. It is sent back unchanged to the same API, and never to other APIs.
 */
export interface ProviderMessage {
  /** The name of its wire format: `chat`, `responses`, `claude` or `gemini`. */
  format: string;
  /** The provider's own content, unchanged. */
  content: unknown;
}

/** An earlier answer of the model. {@link ChatResult.message} is one, ready to send back. */
export interface AssistantMessage {
  /** The author of the message. */
  role: "assistant";
  /** The text; `null` or absent if the model only called tools. */
  content?: string | TextPart[] | null;
  /** The tools that the model called. */
  tool_calls?: ToolCall[];
  /** The model's refusal, if it refused to answer. */
  refusal?: string | null;
  /**
   * The same turn in the provider's own form, which takes precedence over the other fields when it is sent
   * to the API it came from. Version 0.1 called this field `native`, which is still accepted.
   */
  providerMessage?: ProviderMessage;
  /** Distinguishes participants with the same role. */
  name?: string;
}

/** The result of a tool call, for the model to read. */
export interface ToolMessage {
  /** The author of the message. */
  role: "tool";
  /** The `id` of the {@link ToolCall} that this message answers. */
  tool_call_id: string;
  /** The tool's output. Images and documents work if the provider accepts them in tool results. */
  content: string | ContentPart[];
  /**
   * Whether the tool failed. Sent to providers that support it.
   *
   * @default false
   */
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

const ROLES: readonly unknown[] = ["system", "developer", "user", "assistant", "tool"];

function contentProblem({ role, content }: Record<string, unknown>): string | undefined {
  if (typeof content === "string") return undefined;
  if (role === "assistant" && (content === null || content === undefined)) return undefined;
  if (!Array.isArray(content)) {
    return `.content: expected a string or an array of parts, got ${show(content)}`;
  }
  for (const [i, part] of content.entries()) {
    const problem = partProblem(part);
    if (problem !== undefined) return `.content[${i}]${problem}`;
  }
  return undefined;
}

/** What is wrong with a message, after its own path; `undefined` if it is valid. */
function messageProblem(message: unknown): string | undefined {
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    return `: expected an object with "role" and "content", got ${show(message)}`;
  }
  const fields = message as Record<string, unknown>;
  const { role } = fields;
  if (!ROLES.includes(role)) {
    return `.role: expected one of ${ROLES.join(", ")}, got ${show(role)}`;
  }
  if (role === "tool" && typeof fields.tool_call_id !== "string") {
    return `.tool_call_id: expected a string, got ${show(fields.tool_call_id)}`;
  }
  return contentProblem(fields) ??
    (role === "assistant" ? toolCallsProblem(fields.tool_calls) : undefined);
}

/**
 * What is wrong with a list of messages: the path of the field, what was expected and what was found;
 * `undefined` if they are valid.
 */
export function messagesProblem(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return `messages: expected an array, got ${show(messages)}`;
  if (messages.length === 0) return "messages: expected at least one message, got none";
  for (let i = 0; i < messages.length; i++) {
    const problem = messageProblem(messages[i]);
    if (problem !== undefined) return `messages[${i}]${problem}`;
  }
  return undefined;
}
