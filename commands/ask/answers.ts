/**
 * The answers of `flexllm ask`: asked for one at a time, shown as they arrive or printed as JSON.
 *
 * @module
 */
import process from "node:process";
import type { Message } from "../../lib/chat/messages.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import type { AskFlags } from "./flags.ts";
import { AnswerView } from "../conversation/answer_view.ts";
import { noteLongWaits } from "../wait_notice.ts";
import { writeJson, writeNote } from "../terminal/output.ts";

/** Asks once; unless it is `silent`, the answer is shown as it arrives. */
export async function askOnce(
  client: LLMClient,
  messages: readonly Message[],
  options: ChatOptions,
  silent: boolean,
): Promise<ChatResult> {
  const call = { ...options, onRetry: noteLongWaits(writeNote) };
  if (silent) return await client.chatCompletions(messages, call);
  const stream = client.chatCompletionsStream(messages, call);
  const asksForThinking = options.thinking !== undefined && options.thinking !== false;
  const view = new AnswerView({
    markdown: false,
    thinking: asksForThinking && process.stderr.isTTY === true,
  });
  try {
    for await (const event of stream.events) view.show(event);
  } finally {
    view.end();
  }
  return await stream.finalResult();
}

function toJson(result: ChatResult) {
  return {
    content: result.content,
    refusal: result.refusal ?? undefined,
    citations: result.citations,
    logprobs: result.logprobs,
    parsed: result.parsed,
    thinking: result.thinking,
    tool_calls: result.toolCalls,
    model: result.model,
    finish_reason: result.finishReason,
    usage: result.usage && {
      prompt_tokens: result.usage.promptTokens,
      completion_tokens: result.usage.completionTokens,
      total_tokens: result.usage.totalTokens,
    },
    cost: result.cost,
    cached: result.cached,
    latency: Math.round(result.latency * 1000) / 1000,
  };
}

/** Prints answers as JSON: one as it is, several as an array; with a schema only their values. */
export function printAnswers(
  results: readonly ChatResult[],
  { json, count = 1 }: Pick<AskFlags, "json" | "count">,
): void {
  if (results.length === 0) return;
  const values = results.map((result) => json ? toJson(result) : result.parsed);
  writeJson(count === 1 ? values[0] : values);
}
