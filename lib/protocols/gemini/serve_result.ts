/**
 * Encodes results as responses of Google's Gemini API.
 *
 * Source: Gemini API reference, "GenerateContentResponse", and the types of `@google/genai` 3.1.
 *
 * @module
 */
import type { Citation, FinishReason, TokenLogprob } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asObjects, type Json, parseExact } from "../../json/json.ts";
import { parseDataUrl } from "../data_url.ts";
import { textOf } from "../openai_chat/serve_result.ts";
import type { Usage } from "../../usage.ts";
import type { ResponseHead, ServerChoice, ServerResponse } from "../serve.ts";

function encodeToken({ token, logprob }: { token: string; logprob: number }) {
  return { token, logProbability: logprob };
}

/** The fields of a candidate for its log probabilities. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[] | undefined): Json {
  if (logprobs === undefined || logprobs.length === 0) return {};
  const sum = logprobs.reduce((total, { logprob }) => total + logprob, 0);
  return {
    avgLogprobs: sum / logprobs.length,
    logprobsResult: {
      chosenCandidates: logprobs.map(encodeToken),
      topCandidates: logprobs.map(({ topLogprobs = [] }) => ({
        candidates: topLogprobs.map(encodeToken),
      })),
      logProbabilitySum: sum,
    },
  };
}

/** The fields of a candidate for its citations. Positions are counted in bytes here. */
export function encodeCitations(citations: readonly Citation[], text: string): Json {
  citations = citations.filter(({ url }) => url !== undefined);
  if (citations.length === 0) return {};
  const bytes = (end: number) => new TextEncoder().encode(text.slice(0, end)).length;
  return {
    groundingMetadata: {
      groundingChunks: citations.map(({ url, title }) => ({ web: { uri: url, title } })),
      groundingSupports: citations.map(({ start = 0, end = text.length }, i) => ({
        segment: {
          startIndex: bytes(start),
          endIndex: bytes(end),
          text: text.slice(start, end),
        },
        groundingChunkIndices: [i],
      })),
    },
  };
}

const FINISH_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: "STOP",
  length: "MAX_TOKENS",
  tool_calls: "STOP",
  content_filter: "SAFETY",
  other: "OTHER",
};

/** The fields of a candidate for its end. A refusal is the message of the finish reason. */
export function encodeEnd(finishReason: FinishReason, refusal: string | null): Json {
  const reason = { finishReason: FINISH_REASONS[finishReason] };
  return refusal === null ? reason : { ...reason, finishMessage: refusal };
}

function parseArguments({ type, function: { arguments: text } }: ToolCall): Json {
  if (type === "custom") return { input: text };
  try {
    const value = parseExact(text || "{}");
    return asObject(value) ?? { input: value };
  } catch {
    // The API cannot express arguments that are not JSON.
    return { INVALID_JSON: text };
  }
}

function encodeCall(call: ToolCall): Json {
  const { id, function: { name } } = call;
  return { functionCall: { id, name, args: parseArguments(call) } };
}

/** A part with an image: its data, or a link to it. */
export function imagePart(url: string): Json {
  const { mediaType, data } = parseDataUrl(url) ?? {};
  return data === undefined
    ? { fileData: { fileUri: url } }
    : { inlineData: { mimeType: mediaType, data } };
}

/** An empty part with an envelope in the place of a signature. */
export function envelopePart(thoughtSignature: string): Json {
  return { text: "", thoughtSignature };
}

/**
 * The parts after the thoughts. If there are thoughts in a simulated answer, the first of these parts has a
 * signature, as in Gemini's answers; it is a placeholder, which Gemini would reject.
 */
export function encodeParts(
  { id, isSimulated }: ResponseHead,
  { text, toolCalls, hasThinking, isRefusal }: {
    text: string;
    toolCalls: readonly ToolCall[];
    hasThinking: boolean;
    isRefusal: boolean;
  },
): Json[] {
  const needsText = text !== "" || toolCalls.length === 0 && !isRefusal;
  const parts = [...needsText ? [{ text } as Json] : [], ...toolCalls.map(encodeCall)];
  if (isSimulated && hasThinking && parts.length > 0) {
    parts[0].thoughtSignature = btoa(`signature ${id}`);
  }
  return parts;
}

/** Encodes a candidate. One without parts has no content. */
export function encodeCandidate(index: number, parts: readonly Json[], fields: Json = {}): Json {
  const content = parts.length === 0 ? {} : { content: { role: "model", parts } };
  return { index, ...content, ...fields };
}

/** Encodes a response with the given candidates. */
export function encodeBody(
  { id, model, isSimulated }: ResponseHead,
  usage: Usage | null,
  candidates: readonly Json[],
): Json {
  const body: Json = { responseId: id, modelVersion: model, candidates };
  if (usage === null) return body;
  const { promptTokens, completionTokens, totalTokens, cachedTokens } = usage;
  const thoughts = usage.reasoningTokens ?? (isSimulated ? 0 : undefined);
  body.usageMetadata = {
    promptTokenCount: promptTokens,
    candidatesTokenCount: completionTokens - (thoughts ?? 0),
    thoughtsTokenCount: thoughts,
    totalTokenCount: totalTokens,
    cachedContentTokenCount: cachedTokens || undefined,
    promptTokensDetails: isSimulated ? [{ modality: "TEXT", tokenCount: promptTokens }] : undefined,
  };
  return body;
}

function partsOf(head: ResponseHead, choice: ServerChoice): Json[] {
  const { thinking, toolCalls, refusal, providerMessage, carried, images = [] } = choice;
  if (providerMessage?.format === "gemini") return asObjects(providerMessage.content);
  const thoughts = thinking ? [{ text: thinking, thought: true }] : [];
  const answer = { text: textOf(choice), toolCalls, hasThinking: Boolean(thinking) };
  const parts = encodeParts(head, { ...answer, isRefusal: refusal !== null });
  const envelope = carried === undefined ? [] : [envelopePart(carried.envelope)];
  return [...thoughts, ...parts, ...images.map(imagePart), ...envelope];
}

/** Encodes a whole answer. */
export function encodeResponse(response: ServerResponse): unknown {
  const candidates = response.choices.map((choice, index) =>
    encodeCandidate(index, partsOf(response, choice), {
      ...encodeEnd(choice.finishReason, choice.refusal),
      ...encodeCitations(choice.citations ?? [], textOf(choice)),
      ...encodeLogprobs(choice.logprobs),
    })
  );
  return encodeBody(response, response.usage, candidates);
}
