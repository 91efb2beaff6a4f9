/**
 * Answers of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages" and "Errors", and the types of `@anthropic-ai/sdk` 1.12.
 *
 * @module
 */
import type { FinishReason, Usage } from "../chat/result.ts";
import { MalformedResponseError } from "../errors.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../json.ts";
import type { Completion, ProviderError } from "./provider.ts";

/** Maps the reason why a message ended. */
export function finishReason(reason: unknown): FinishReason {
  switch (reason) {
    case "end_turn":
    case "stop_sequence":
      return "stop";
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "tool_use":
      return "tool_calls";
    case "refusal":
      return "content_filter";
    default:
      return "other";
  }
}

/** Decodes a usage object. Unlike OpenAI's, its input tokens do not hold the cached ones. */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const cachedTokens = asNumber(usage.cache_read_input_tokens) ?? 0;
  const cacheWriteTokens = asNumber(usage.cache_creation_input_tokens) ?? 0;
  const promptTokens = (asNumber(usage.input_tokens) ?? 0) + cachedTokens + cacheWriteTokens;
  const completionTokens = asNumber(usage.output_tokens) ?? 0;
  const decoded: Usage = {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    cachedTokens,
    cacheWriteTokens,
  };
  const reasoning = asNumber(asObject(usage.output_tokens_details)?.thinking_tokens);
  if (reasoning !== undefined) decoded.reasoningTokens = reasoning;
  return decoded;
}

function textOf(blocks: readonly Json[], type: string, field: string): string {
  return blocks.filter((block) => block.type === type).map((block) => block[field] ?? "").join("");
}

/** Decodes a plain answer. */
export function decode(body: unknown): Completion {
  const message = asObject(body);
  if (message?.type !== "message" || !Array.isArray(message.content)) {
    throw new MalformedResponseError("the server's answer is not a message of the Messages API", {
      hint: "Check that the base URL is that of an Anthropic API.",
    });
  }
  const blocks = asObjects(message.content);
  return {
    content: textOf(blocks, "text", "text"),
    thinking: textOf(blocks, "thinking", "thinking") || null,
    refusal: null,
    toolCalls: blocks.filter(({ type }) => type === "tool_use").map(({ id, name, input }) => ({
      id: asText(id) ?? "",
      type: "function",
      function: { name: asText(name) ?? "", arguments: JSON.stringify(input ?? {}) },
    })),
    usage: decodeUsage(message.usage),
    finishReason: finishReason(message.stop_reason),
    model: asText(message.model) ?? "",
    native: { format: "claude", content: message.content },
  };
}

/** Spend limits come as 429; waiting does not help. */
const SPEND_LIMITS = ["enforced_spend_limit_reached", "contract_spend_limit_reached"];

/** Reads `{"type":"error","error":{…}}`, in an answer and in a stream. */
export function decodeError(body: unknown): ProviderError | undefined {
  const answer = asObject(body);
  const error = answer?.type === "error" ? asObject(answer.error) : undefined;
  if (error === undefined) return undefined;
  const code = asText(asObject(error.details)?.error_code);
  return {
    message: asText(error.message),
    code: code ?? asText(error.type),
    quota: code !== undefined && SPEND_LIMITS.includes(code),
  };
}
