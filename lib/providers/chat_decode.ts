/**
 * Answers of OpenAI's Chat Completions API, read tolerantly: fields may be null or absent, and thinking
 * arrives under several names.
 *
 * Source: OpenAI API reference, "Chat Completions", and the types of the `openai` package; the
 * variations are those of DeepSeek, vLLM, OpenRouter, Groq, Mistral, xAI and Ollama.
 *
 * @module
 */
import type { FinishReason, ToolCall, Usage } from "../chat/result.ts";
import { MalformedResponseError } from "../errors.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../json.ts";
import type { NativeMessage } from "../chat/messages.ts";
import type { Completion } from "./provider.ts";
import { embeddedError } from "./response_error.ts";
import { splitThinking } from "./think_tags.ts";

/** Maps OpenAI's finish reasons; a server may leave the reason out or say `stop` for tool calls. */
export function finishReason(reason: unknown, hasToolCalls: boolean): FinishReason {
  if (reason === "length" || reason === "content_filter") return reason;
  if (hasToolCalls) return "tool_calls";
  if (reason === "stop" || reason === "tool_calls" || reason === "function_call") return "stop";
  return "other";
}

/** Decodes a `usage` object; `null` when the server sent none. */
export function decodeUsage(value: unknown): Usage | null {
  const usage = asObject(value);
  if (usage === undefined) return null;
  const promptTokens = asNumber(usage.prompt_tokens) ?? 0;
  let completionTokens = asNumber(usage.completion_tokens) ?? 0;
  const total = asNumber(usage.total_tokens);
  const reasoning = asNumber(asObject(usage.completion_tokens_details)?.reasoning_tokens);
  // xAI counts thinking beside the completion, all others within it.
  if (reasoning && total === promptTokens + completionTokens + reasoning) {
    completionTokens += reasoning;
  }
  const decoded: Usage = {
    promptTokens,
    completionTokens,
    totalTokens: total ?? promptTokens + completionTokens,
  };
  const cached = asNumber(asObject(usage.prompt_tokens_details)?.cached_tokens) ??
    asNumber(usage.prompt_cache_hit_tokens);
  if (cached !== undefined) decoded.cachedTokens = cached;
  const written = asNumber(asObject(usage.prompt_tokens_details)?.cache_write_tokens);
  if (written) decoded.cacheWriteTokens = written;
  if (reasoning !== undefined) decoded.reasoningTokens = reasoning;
  return decoded;
}

/** The text of a message's `content`: a string, or the text parts of an array. */
export function decodeContent(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => asObject(part)?.text).filter((text) => typeof text === "string")
    .join("");
}

/** The thinking text of a message or a delta, under any of its names. */
export function decodeThinking(message: Json): string | undefined {
  const thinking = asText(message.reasoning_content) ?? asText(message.reasoning);
  if (thinking !== undefined || !Array.isArray(message.content)) return thinking;
  // Mistral: the content is an array with thinking parts in it.
  const parts = asObjects(message.content).filter(({ type }) => type === "thinking");
  return asText(parts.map(({ thinking }) => decodeContent(thinking)).join(""));
}

/** What a service wants back in the next turn beside the text: DeepSeek's and OpenRouter's fields. */
export function nativeMessage(reasoning: Json): NativeMessage | undefined {
  const { reasoning_content, reasoning_details } = reasoning;
  if (reasoning_content === undefined && reasoning_details === undefined) return undefined;
  return { format: "chat", content: { reasoning_content, reasoning_details } };
}

/**
 * The cost in USD that the server itself reports (OpenRouter). Where the user brings a key of the
 * model's own provider (`is_byok`), it is the fee only, and that provider's bill stands beside it.
 *
 * Source: OpenRouter documentation, "Usage Accounting".
 */
export function decodeCost(value: unknown): number | undefined {
  const usage = asObject(value);
  const cost = asNumber(usage?.cost);
  if (usage?.is_byok !== true) return cost;
  return (cost ?? 0) + (asNumber(asObject(usage.cost_details)?.upstream_inference_cost) ?? 0);
}

/** Arguments as text: some servers send the object itself. */
export function decodeArguments(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

function decodeToolCalls(value: unknown): ToolCall[] {
  if (!Array.isArray(value)) return [];
  return value.map((item, i) => {
    const call = asObject(item);
    const fn = asObject(call?.function);
    return {
      id: asText(call?.id) ?? `call_${i}`,
      type: "function",
      function: { name: asText(fn?.name) ?? "", arguments: decodeArguments(fn?.arguments) },
    };
  });
}

/** Decodes a plain answer. */
export function decode(body: unknown): Completion {
  const answer = asObject(body);
  const choice = Array.isArray(answer?.choices) ? asObject(answer.choices[0]) : undefined;
  const message = asObject(choice?.message);
  if (answer === undefined || choice === undefined || message === undefined) {
    throw new MalformedResponseError(
      "the server's answer is not a chat completion: it has no choices[0].message",
      { hint: "Check that the base URL is that of an OpenAI-compatible API." },
    );
  }
  checkResources(choice.finish_reason);
  const toolCalls = decodeToolCalls(message.tool_calls);
  const named = decodeThinking(message);
  const text = decodeContent(message.content);
  const { thinking, content } = named === undefined
    ? splitThinking(text)
    : { thinking: named, content: text };
  const refusal = asText(message.refusal);
  return {
    content: content || (refusal ?? ""),
    thinking,
    refusal: refusal ?? null,
    toolCalls,
    usage: decodeUsage(answer.usage),
    finishReason: refusal === undefined
      ? finishReason(choice.finish_reason, toolCalls.length > 0)
      : "content_filter",
    model: asText(answer.model) ?? "",
    cost: decodeCost(answer.usage),
    native: nativeMessage(message),
  };
}

/** DeepSeek ends an answer like this when it is overloaded: what there is of it is of no use. */
export function checkResources(reason: unknown): void {
  if (reason === "insufficient_system_resource") {
    throw embeddedError({ message: "out of resources", status: 503 });
  }
}

export { decodeError } from "./chat_error.ts";
