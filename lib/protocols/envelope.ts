/**
 * Wraps a provider's own message so that it survives in the history of a client that speaks another format.
 *
 * Signed thinking, encrypted reasoning and thought signatures must come back to the provider unchanged, but
 * each format has only one opaque field of its own. The text of an envelope goes into that field: `data` of
 * a `redacted_thinking` block (Messages), `encrypted_content` of a `reasoning` item (Responses),
 * `thoughtSignature` of an empty text part (Gemini), `data` of an entry of `reasoning_details` (Chat
 * Completions). The client sends it back with the history, so nothing has to be stored.
 *
 * Nothing in an envelope is secret or trusted: a client can read it, and can write one, as it can write any
 * other part of its history.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { ProviderMessage } from "../chat/messages.ts";
import {
  asObject,
  asObjects,
  asText,
  type Json,
  parseExact,
  stringifyExact,
} from "../json/json.ts";

/** The beginning of every envelope. A body without this text contains none. */
export const ENVELOPE_PREFIX = "flexllm1.";

/** The `format` of an envelope among the `reasoning_details` of a chat message. */
export const ENVELOPE_FORMAT = "flexllm";

/** A provider's message and where it came from. */
export interface Envelope extends ProviderMessage {
  /** See {@link envelopeOrigin}. */
  origin: string;
}

/**
 * Identifies the endpoint and the model that wrote a message: signatures of others are rejected. A hash, since
 * clients need not know the addresses of endpoints.
 */
export function envelopeOrigin(endpoint: string, model: string): string {
  return createHash("sha256").update(`${endpoint}\n${model}`).digest("base64url").slice(0, 12);
}

/** Writes an envelope. */
export function writeEnvelope({ format, content }: ProviderMessage, origin: string): string {
  const json = stringifyExact({ format, origin, content });
  return ENVELOPE_PREFIX + Buffer.from(json).toString("base64url");
}

/** Whether `value` claims to be an envelope, even if it is damaged: no provider must ever receive it. */
export function isEnvelope(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(ENVELOPE_PREFIX);
}

/** Reads an envelope; `undefined` if `value` is none, or a damaged one. */
export function readEnvelope(value: unknown): Envelope | undefined {
  if (!isEnvelope(value)) return undefined;
  let parsed: Json | undefined;
  try {
    const json = Buffer.from(value.slice(ENVELOPE_PREFIX.length), "base64url").toString();
    parsed = asObject(parseExact(json));
  } catch {
    return undefined;
  }
  const format = asText(parsed?.format);
  const origin = asText(parsed?.origin);
  const content = parsed?.content;
  if (format === undefined || origin === undefined) return undefined;
  return typeof content === "object" && content !== null ? { format, origin, content } : undefined;
}

const PLAIN_BLOCKS: readonly unknown[] = ["text", "tool_use", "thinking"];
const PLAIN_ITEMS: readonly unknown[] = [
  "message",
  "function_call",
  "custom_tool_call",
  "reasoning",
];

/** Whether a part of a message cannot be rebuilt from its text and tool calls, by format. */
const IS_OPAQUE: Readonly<Record<string, (part: Json) => boolean>> = {
  claude: ({ type, signature }) => asText(signature) !== undefined || !PLAIN_BLOCKS.includes(type),
  responses: ({ type, encrypted_content, phase }) =>
    asText(encrypted_content) !== undefined || phase === "commentary" ||
    !PLAIN_ITEMS.includes(type),
  gemini: ({ thoughtSignature, executableCode, codeExecutionResult, toolCall }) =>
    asText(thoughtSignature) !== undefined ||
    [executableCode, codeExecutionResult, toolCall].some((part) => part !== undefined),
};

/**
 * Fields that no server needs back, except in tool loops, where DeepSeek requires its thinking: thinking as
 * plain text, and images.
 */
const PLAIN_FIELDS: readonly string[] = ["reasoning_content", "reasoning", "images"];

/**
 * Whether the provider needs more of its message back than text and tool calls.
 *
 * @param hasToolCalls whether the model called tools
 */
export function needsEnvelope(
  { format, content }: ProviderMessage,
  hasToolCalls: boolean,
): boolean {
  if (format !== "chat") return asObjects(content).some(IS_OPAQUE[format] ?? (() => false));
  const names = Object.keys(asObject(content) ?? {});
  return hasToolCalls ? names.length > 0 : names.some((name) => !PLAIN_FIELDS.includes(name));
}
