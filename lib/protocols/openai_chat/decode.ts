/**
 * Decodes answers of Chat Completions, tolerantly: fields may be null or absent, and thinking has several
 * names.
 *
 * Source: OpenAI API reference, "Chat Completions", and the types of the `openai` package; variations of
 * DeepSeek, vLLM, OpenRouter, Groq, Mistral, xAI and Ollama.
 *
 * @module
 */
import type { ToolCall } from "../../chat/tool_call.ts";
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { decodeError } from "../openai_error.ts";
import {
  answerCitations,
  decodeContent,
  type DecodedCall,
  decodeThinking,
  decodeToolCalls,
  messageCitations,
  messageExtras,
  nativeMessage,
} from "./answer_message.ts";
import { decodeCost, decodeUsage, findUsage } from "./usage.ts";
import { finishReason, isFailure } from "../finish_reason.ts";
import type { Completion, Endpoint, ProviderError } from "../protocol.ts";
import { embeddedError } from "../response_error.ts";
import { mayHaveTag, mayTagThinking, splitThinking } from "../think_tags.ts";
import { decodeLogprobs } from "../token_logprobs.ts";

/** The choice with index 0, which is not always the first in the list. */
export function firstChoice(choices: unknown): Json | undefined {
  if (Array.isArray(choices) && choices.length === 1) return asObject(choices[0]);
  const list = asObjects(choices);
  return list.length < 2 ? list[0] : list.find(({ index }) => index === 0) ?? list[0];
}

/**
 * The error that a choice ended with: an error object, or a finish reason that means failure. Without a status
 * of its own it counts as 502 or 503.
 *
 * Sources: OpenRouter, "Errors" (`choices[].error`); DeepSeek, `insufficient_system_resource`; public
 * reports of `abort` (vLLM, SGLang) and `error` (OpenRouter).
 */
export function choiceError(choice: Json): ProviderError | undefined {
  const error = choice.error === undefined ? undefined : decodeError({ error: choice.error });
  if (error !== undefined) return { ...error, status: error.status ?? 502 };
  const reason = choice.finish_reason;
  if (!isFailure(reason)) return undefined;
  const status = reason === "insufficient_system_resource" ? 503 : 502;
  const providerMessage = asText(choice.native_finish_reason);
  const message = `the answer ended with the finish reason "${providerMessage ?? reason}"`;
  return { message, code: String(reason), status };
}

/** The message of a choice without one. Azure omits it if its content filter removed all of it. */
function emptyMessage(choice: Json, error: ProviderError | undefined): Json | undefined {
  const isFiltered = finishReason(choice.finish_reason, false) === "content_filter";
  return isFiltered || error !== undefined ? {} : undefined;
}

function callOf({ call }: DecodedCall): ToolCall {
  return call;
}

/** Decodes a plain answer. */
export function decode(body: unknown, endpoint?: Endpoint): Completion {
  const answer = asObject(body);
  const choice = firstChoice(answer?.choices);
  const error = choice && choiceError(choice);
  const message = choice &&
    (asObject(choice.message) ?? asObject(choice.delta) ?? emptyMessage(choice, error));
  if (answer === undefined || choice === undefined || message === undefined) {
    throw new MalformedResponseError(
      "the server's answer is not a chat completion: it has no choices[0].message",
      { hint: "Check that the base URL is that of an OpenAI-compatible API." },
    );
  }
  const model = asText(answer.model);
  const calls = decodeToolCalls(message);
  const named = decodeThinking(message);
  const text = decodeContent(message.content);
  const { thinking, content } =
    named === undefined && mayHaveTag(text) && mayTagThinking(endpoint, model)
      ? splitThinking(text)
      : { thinking: named ?? null, content: text };
  const rawUsage = findUsage(answer, choice);
  const usage = decodeUsage(rawUsage);
  if (error !== undefined) {
    throw embeddedError(error, undefined, { content, thinking, usage }, endpoint);
  }
  const refusal = asText(message.refusal) ?? null;
  const completion: Completion = {
    content: content || (refusal ?? ""),
    thinking,
    refusal,
    toolCalls: calls.map(callOf),
    usage,
    finishReason: refusal === null
      ? finishReason(choice.finish_reason, calls.length > 0)
      : "content_filter",
    model: model ?? "",
    cost: decodeCost(rawUsage),
    providerMessage: nativeMessage(message.content, messageExtras(message), calls),
  };
  const own = messageCitations(message);
  const listed = answerCitations(answer);
  if (own.length + listed.length > 0) completion.citations = [...own, ...listed];
  const logprobs = decodeLogprobs(choice.logprobs);
  if (logprobs !== undefined) completion.logprobs = logprobs;
  const serviceTier = asText(answer.service_tier);
  if (serviceTier !== undefined) completion.serviceTier = serviceTier;
  return completion;
}
