/**
 * Encodes conversations as Gemini's `contents`.
 *
 * Sources: Gemini API reference, "Content", "FunctionResponse"; documentation, "Thought signatures" and
 * "Function calling" (multimodal function responses, Gemini 3).
 *
 * @module
 */
import type { Message } from "../../chat/messages.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { InvalidInputError } from "../../errors.ts";
import { asObject, asText, type Json } from "../../json/json.ts";
import type { GeminiModel } from "./model_features.ts";
import { encodeContent } from "./parts.ts";
import { parseArguments } from "../tool_arguments.ts";
import { rejectField, unsupportedPart } from "../unsupported.ts";

type Turn = { role: "user" | "model"; parts: Json[] };

/** The model and server that a conversation is encoded for. */
export interface GeminiTarget {
  model: GeminiModel;
  /** Whether the server is Vertex AI, which has no call ids. */
  isVertex: boolean;
}

/**
 * The placeholder signature for calls that another model made. Gemini 3 rejects turns whose first function
 * call has no signature.
 *
 * Source: Gemini API documentation, "Thought signatures", FAQ.
 */
export const NO_SIGNATURE = "skip_thought_signature_validator";

/** The calls so far by id, and whether Google assigned the id. */
type Calls = Map<string, { name: string; hasId: boolean }>;

/** The signature of a call from Gemini's OpenAI-compatible API. */
function signatureOf(call: ToolCall): string | undefined {
  const { google } = asObject((call as unknown as Json).extra_content) ?? {};
  return asText(asObject(google)?.thought_signature);
}

function encodeCall(call: ToolCall, { isVertex }: GeminiTarget): Json {
  return {
    functionCall: {
      id: isVertex ? undefined : call.id,
      name: call.function.name,
      args: call.type === "custom" ? { input: call.function.arguments } : parseArguments(call),
    },
    thoughtSignature: signatureOf(call),
  };
}

/** Adds the placeholder to the first call if none of the calls has a signature. */
function signed(parts: readonly Json[]): readonly Json[] {
  const first = parts.findIndex((part) => part.functionCall !== undefined);
  const isSigned = parts.some((part) =>
    part.functionCall !== undefined && part.thoughtSignature !== undefined
  );
  if (first < 0 || isSigned) return parts;
  return parts.with(first, { ...parts[first], thoughtSignature: NO_SIGNATURE });
}

function withoutCallId(part: Json): Json {
  const call = asObject(part.functionCall);
  if (call?.id === undefined) return part;
  const { id: _, ...functionCall } = call;
  return { ...part, functionCall };
}

function encodeAssistant(
  message: Message & { role: "assistant" },
  calls: Calls,
  target: GeminiTarget,
): readonly Json[] {
  const providerMessage = message.providerMessage?.format === "gemini"
    ? message.providerMessage.content as Json[]
    : undefined;
  const nativeIds = new Set(providerMessage?.map((part) => asObject(part.functionCall)?.id));
  for (const call of message.tool_calls ?? []) {
    const name = asText(call.function?.name);
    if (name === undefined) {
      throw new InvalidInputError(`the tool call ${call.id} has no function.name`, {
        hint: 'Write it as {"id", "type": "function", "function": {"name", "arguments"}}.',
      });
    }
    const hasId = !target.isVertex && (providerMessage === undefined || nativeIds.has(call.id));
    calls.set(call.id, { name, hasId });
  }
  const parts = providerMessage === undefined
    ? [
      ...encodeContent(message.content ?? message.refusal ?? ""),
      ...(message.tool_calls ?? []).map((call) => encodeCall(call, target)),
    ]
    : target.isVertex
    ? providerMessage.map(withoutCallId)
    : providerMessage;
  return target.model.isGemini3 ? signed(parts) : parts;
}

function encodeToolResult(
  message: Message & { role: "tool" },
  calls: Calls,
  { model, isVertex }: GeminiTarget,
): Json {
  const call = calls.get(message.tool_call_id);
  if (call === undefined) {
    throw new InvalidInputError(
      `the tool message for ${message.tool_call_id} does not follow a tool call with this id`,
    );
  }
  const parts = encodeContent(message.content);
  const text = parts.map((part) => asText(part.text) ?? "").join("");
  const media = parts.filter((part) => part.text === undefined);
  const canTake = model.isGemini3 &&
    (isVertex || media.every((part) => part.inlineData !== undefined));
  if (media.length > 0 && !canTake) {
    const part = (message.content as { type: string }[]).find(({ type }) => type !== "text");
    throw unsupportedPart(
      part?.type ?? "file",
      "Gemini in a tool message",
      model.isGemini3
        ? "Send its data instead of a URI."
        : "Use Gemini 3 or later, or send it in a user message.",
    );
  }
  return {
    functionResponse: {
      id: call.hasId ? message.tool_call_id : undefined,
      name: call.name,
      response: message.is_error === true ? { error: text } : { output: text },
      parts: media.length === 0 ? undefined : media,
    },
  };
}

/** Throws if `value` has a prompt cache breakpoint, which Gemini does not have. */
export function rejectCacheControl(value: { cache_control?: unknown }): void {
  if (!value.cache_control) return;
  rejectField(
    "cache_control",
    "Gemini",
    "It caches prompts automatically: leave cache_control out, or name a cachedContent in extraBody.",
  );
}

function rejectCacheControls(message: Message): void {
  const { content } = message;
  rejectCacheControl(message as { cache_control?: unknown });
  if (!Array.isArray(content)) return;
  for (const part of content as { cache_control?: unknown }[]) rejectCacheControl(part);
}

/**
 * Encodes a conversation: system messages separately, and consecutive turns of one role merged.
 *
 * @throws {InvalidInputError} for messages that cannot be sent, such as a system message after the first turn
 */
export function encodeMessages(
  messages: readonly Message[],
  target: GeminiTarget,
): { system: Json[]; contents: Turn[] } {
  const system: Json[] = [];
  const contents: Turn[] = [];
  const calls: Calls = new Map();
  const add = (role: Turn["role"], parts: readonly Json[]) => {
    // The API rejects empty turns.
    if (parts.length === 0) return;
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts: [...parts] });
  };
  for (const [i, message] of messages.entries()) {
    rejectCacheControls(message);
    switch (message.role) {
      case "system":
      case "developer":
        if (contents.length > 0) {
          throw new InvalidInputError(
            `messages[${i}]: Gemini does not accept system messages after the first turn`,
            { hint: "Put it at the start, or make it a user message." },
          );
        }
        system.push(...encodeContent(message.content));
        break;
      case "user":
        add("user", encodeContent(message.content));
        break;
      case "tool":
        add("user", [encodeToolResult(message, calls, target)]);
        break;
      case "assistant":
        add("model", encodeAssistant(message, calls, target));
        break;
    }
  }
  return { system, contents };
}
