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
import { ENVELOPE_FORMAT } from "../envelope.ts";
import type { ResponseHead, ServerChoice, ServerRequest, ServerResponse } from "../serve.ts";
import { encodeCall } from "./answer_message.ts";

/** The text of an answer. A refusal is not text, even where a result repeats it as `content`. */
export function textOf({ content, refusal }: ServerChoice): string {
  return content === refusal ? "" : content;
}

/** Encodes token counts. */
export function encodeUsage(usage: Usage | null, { isSimulated }: ResponseHead): Json | null {
  if (usage === null) return null;
  const { promptTokens, completionTokens, totalTokens } = usage;
  const { cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  const counted: Json = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
  };
  if (isSimulated) {
    counted.prompt_tokens_details = {
      cached_tokens: cachedTokens ?? 0,
      cache_write_tokens: cacheWriteTokens ?? 0,
      audio_tokens: 0,
    };
    counted.completion_tokens_details = {
      reasoning_tokens: reasoningTokens ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    };
    return counted;
  }
  if (cachedTokens !== undefined || cacheWriteTokens !== undefined) {
    counted.prompt_tokens_details = {
      cached_tokens: cachedTokens,
      cache_write_tokens: cacheWriteTokens,
    };
  }
  if (reasoningTokens !== undefined) {
    counted.completion_tokens_details = { reasoning_tokens: reasoningTokens };
  }
  return counted;
}

/** Encodes the citations of URLs. One without a position covers the text up to `length`. */
export function encodeAnnotations(citations: readonly Citation[], length: number): Json[] {
  const cited = citations.filter(({ url }) => url !== undefined);
  return cited.map(({ url, title = "", start = 0, end = length }) => ({
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

/** Encodes images as OpenRouter does; OpenAI's own chat models draw none. */
export function encodeImages(urls: readonly string[]): Json[] {
  return urls.map((url) => ({ type: "image_url", image_url: { url } }));
}

/** The entry of `reasoning_details` for an envelope, in the form of OpenRouter's encrypted reasoning. */
export function encodeEnvelope(data: string): Json {
  return { type: "reasoning.encrypted", data, format: ENVELOPE_FORMAT };
}

/**
 * The tier that processed a simulated answer's request; the service decides what `auto` means. Tiers of other
 * services have no meaning here.
 */
export function serviceTierOf(
  { isSimulated }: ResponseHead,
  { body: { service_tier: tier } }: ServerRequest,
): unknown {
  if (!isSimulated) return undefined;
  return tier === undefined || tier === null || tier === "auto" ? "default" : tier;
}

function encodeMessage(choice: ServerChoice): Json {
  const { thinking, toolCalls, providerMessage, carried, citations = [], images = [] } = choice;
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
  if (images.length > 0) message.images = encodeImages(images);
  if (carried !== undefined) message.reasoning_details = [encodeEnvelope(carried.envelope)];
  if (toolCalls.length > 0) {
    message.tool_calls = toolCalls.map((call, i) => ({
      ...encodeCall(call),
      ...carried?.callExtras?.[i],
    }));
  }
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
    usage: encodeUsage(response.usage, response) ?? undefined,
    service_tier: serviceTierOf(response, request),
  };
}
