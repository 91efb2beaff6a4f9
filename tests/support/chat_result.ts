/** Builds the result of a call. */
import { assistantMessage } from "../../lib/chat/assistant_message.ts";
import type { ChatResult } from "../../mod.ts";

export function chatResult(content: string, changes: Partial<ChatResult> = {}): ChatResult {
  return {
    content,
    thinking: null,
    refusal: null,
    citations: undefined,
    logprobs: undefined,
    toolCalls: [],
    message: assistantMessage({ content, toolCalls: changes.toolCalls ?? [] }),
    parsed: undefined,
    usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 },
    cost: 0.25,
    finishReason: "stop",
    model: "test-model",
    endpoint: "http://127.0.0.1/v1",
    cached: false,
    latency: 1.5,
    raw: { any: "thing" },
    ...changes,
  };
}
