/**
 * Encodes results as chat completions.
 *
 * Source: OpenAI API reference, "The chat completion object", and the types of the `openai` package 7.57.
 *
 * @module
 */
import type { Citation, TokenLogprob } from "../../chat/result.ts";
import { asObject, type Json } from "../../json/json.ts";
import type { Usage } from "../../usage.ts";
import type { ServerChoice, ServerRequest, ServerResponse } from "../serve.ts";
import { encodeCall } from "./answer_message.ts";

/** The text of an answer. A refusal is not text, even where a result repeats it as `content`. */
export function textOf({ content, refusal }: ServerChoice): string {
  return content === refusal ? "" : content;
}

/** Encodes token counts. */
export function encodeUsage(usage: Usage | null): Json | null {
  if (usage === null) return null;
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** Encodes citations. One without a position covers the text up to `length`. */
export function encodeAnnotations(citations: readonly Citation[], length: number): Json[] {
  return citations.map(({ url = "", title = "", start = 0, end = length }) => ({
    type: "url_citation",
    url_citation: { url, title, start_index: start, end_index: end },
  }));
}

/** Encodes log probabilities. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[] | undefined): Json | null {
  if (logprobs === undefined) return null;
  return {
    content: logprobs.map(({ topLogprobs = [], ...token }) => ({
      ...token,
      top_logprobs: topLogprobs,
    })),
    refusal: null,
  };
}

/** Encodes a finish reason. A refusal ends normally here: its text has a field of its own. */
export function encodeFinishReason(
  finishReason: ServerChoice["finishReason"],
  isRefusal: boolean,
): string {
  return isRefusal && finishReason === "content_filter" ? "stop" : finishReason;
}

/** The tier that processed the request; the service decides what `auto` means. */
export function serviceTierOf({ body: { service_tier: tier } }: ServerRequest): unknown {
  return tier === undefined || tier === null || tier === "auto" ? "default" : tier;
}

function encodeMessage(choice: ServerChoice): Json {
  const { thinking, toolCalls, providerMessage, citations = [] } = choice;
  const text = textOf(choice);
  const refusal = choice.refusal ?? null;
  const message: Json = {
    role: "assistant",
    content: text === "" && (toolCalls.length > 0 || refusal !== null) ? null : text,
    refusal,
    annotations: encodeAnnotations(citations, text.length),
  };
  // OpenAI shows no thinking here; compatible services call it this.
  if (thinking) message.reasoning_content = thinking;
  if (toolCalls.length > 0) message.tool_calls = toolCalls.map(encodeCall);
  return providerMessage?.format === "chat"
    ? { ...message, ...asObject(providerMessage.content) }
    : message;
}

/** Encodes a whole answer. */
export function encodeResponse(response: ServerResponse, request: ServerRequest): unknown {
  return {
    id: `chatcmpl-${response.id}`,
    object: "chat.completion",
    created: response.created,
    model: response.model,
    choices: response.choices.map((choice, index) => ({
      index,
      message: encodeMessage(choice),
      logprobs: encodeLogprobs(choice.logprobs),
      finish_reason: encodeFinishReason(choice.finishReason, (choice.refusal ?? null) !== null),
    })),
    usage: encodeUsage(response.usage),
    service_tier: serviceTierOf(request),
  };
}
