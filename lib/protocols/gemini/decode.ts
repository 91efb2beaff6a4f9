/**
 * Decodes plain answers of the Gemini API.
 *
 * @module
 */
import { StreamAccumulator } from "../../chat/events.ts";
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asObjects, type Json } from "../../json/json.ts";
import { GeminiStreamDecoder } from "./stream.ts";
import type { Completion } from "../protocol.ts";

/** The chunks of a body: one response, or the list that a stream without `alt=sse` is. */
function chunksOf(body: unknown): readonly Json[] {
  return Array.isArray(body) ? asObjects(body) : [asObject(body) ?? {}];
}

/**
 * Decodes a plain answer.
 *
 * @throws {FlexLLMError} for a blocked prompt, a failed answer, or no answer
 */
export function decode(body: unknown): Completion {
  const decoder = new GeminiStreamDecoder();
  const total = new StreamAccumulator();
  for (const chunk of chunksOf(body)) {
    for (const event of decoder.read(chunk)) total.add(event);
  }
  if (!decoder.hasCandidate) throw noCandidate(decoder);
  for (const event of decoder.end()) total.add(event);
  const { content, thinking, refusal, citations, logprobs, toolCalls, usage } = total;
  const completion: Completion = {
    content,
    thinking,
    refusal,
    toolCalls,
    usage: usage ?? decoder.usage,
    finishReason: total.finishReason ?? "other",
    model: decoder.model ?? "",
    providerMessage: decoder.providerMessage(),
  };
  if (citations !== undefined) completion.citations = citations;
  if (logprobs !== undefined) completion.logprobs = logprobs;
  if (decoder.serviceTier !== undefined) completion.serviceTier = decoder.serviceTier;
  return completion;
}

/** The error for a body without candidates. Gemini sometimes sends only usage; other bodies are not Gemini's. */
function noCandidate(decoder: GeminiStreamDecoder): MalformedResponseError {
  const isGemini = decoder.raw.usageMetadata !== undefined || decoder.model !== undefined;
  return new MalformedResponseError("the server's answer has no candidate", {
    retryable: isGemini,
    partial: decoder.partial(),
    hint: isGemini
      ? undefined
      : "Check that the base URL is that of the Gemini API; it ends in /v1beta.",
  });
}
