/**
 * Answers of Google's Gemini API.
 *
 * Source: Gemini API reference, "GenerateContentResponse", and the types of `@google/genai`.
 *
 * @module
 */
import type { FinishReason, ToolCall, Usage } from "../chat/result.ts";
import { ContentBlockedError, MalformedResponseError } from "../errors.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../json.ts";
import type { Completion } from "./provider.ts";

const FILTERED: ReadonlySet<unknown> = new Set([
  "SAFETY",
  "RECITATION",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "LANGUAGE",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
  "IMAGE_RECITATION",
]);

/** Maps the reason why a candidate ended; Gemini has none for tool calls. */
export function finishReason(reason: unknown, hasToolCalls: boolean): FinishReason {
  if (FILTERED.has(reason)) return "content_filter";
  // CONTINUATION: the answer is longer than one response may be.
  if (reason === "MAX_TOKENS" || reason === "CONTINUATION") return "length";
  // aimock says FUNCTION_CALL, Google STOP.
  if (hasToolCalls) return "tool_calls";
  return reason === "STOP" ? "stop" : "other";
}

/** Decodes usage metadata. Thoughts are counted beside the candidates' tokens. */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const count = (name: string) => asNumber(usage[name]) ?? 0;
  const promptTokens = count("promptTokenCount") + count("toolUsePromptTokenCount");
  const completionTokens = count("candidatesTokenCount") + count("thoughtsTokenCount");
  return {
    promptTokens,
    completionTokens,
    totalTokens: asNumber(usage.totalTokenCount) ?? promptTokens + completionTokens,
    cachedTokens: count("cachedContentTokenCount"),
    reasoningTokens: count("thoughtsTokenCount"),
  };
}

/** The tool call in a part; `index` makes an id where Google gave none. */
export function decodeCall(part: Json, index: number): ToolCall | undefined {
  const call = asObject(part.functionCall);
  return call && {
    id: asText(call.id) ?? `call_${index}`,
    type: "function",
    function: { name: asText(call.name) ?? "", arguments: JSON.stringify(call.args ?? {}) },
  };
}

/** Throws when the prompt was blocked: there are no candidates then. */
export function checkBlocked(answer: Json): void {
  const reason = asText(asObject(answer.promptFeedback)?.blockReason);
  if (reason !== undefined) {
    const hint = "Change the prompt, or the safety settings of the service.";
    const message = `the prompt was blocked by the provider (${reason})`;
    throw new ContentBlockedError(message, reason, { hint });
  }
}

function textOf(parts: readonly Json[], thought: boolean): string {
  return parts.filter((part) => (part.thought === true) === thought)
    .map((part) => asText(part.text) ?? "").join("");
}

/** Decodes a plain answer. */
export function decode(body: unknown): Completion {
  const answer = asObject(body) ?? {};
  checkBlocked(answer);
  const [candidate] = asObjects(answer.candidates);
  if (candidate === undefined) {
    throw new MalformedResponseError("the server's answer has no candidate", {
      hint: "Check that the base URL is that of the Gemini API; it ends in /v1beta.",
    });
  }
  const parts = asObjects(asObject(candidate.content)?.parts);
  const toolCalls = parts.filter((part) => part.functionCall !== undefined)
    .map((part, i) => decodeCall(part, i)!);
  return {
    content: textOf(parts, false),
    thinking: textOf(parts, true) || null,
    refusal: null,
    toolCalls,
    usage: decodeUsage(answer.usageMetadata),
    finishReason: finishReason(candidate.finishReason, toolCalls.length > 0),
    model: asText(answer.modelVersion) ?? "",
    native: { format: "gemini", content: parts },
  };
}

export { decodeError } from "./google_error.ts";
