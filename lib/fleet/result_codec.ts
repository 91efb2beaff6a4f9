/**
 * Encodes answers for other processes, as small as the result file allows.
 *
 * The provider's own answer stays with the worker; the value of a structured answer is read from its text again.
 *
 * @module
 */
import { assistantMessage } from "../chat/assistant_message.ts";
import type { CallFacts } from "../chat/call_facts.ts";
import type { ChatResult } from "../chat/result.ts";
import { exactValue } from "../chat/structured_output.ts";

/** An answer as plain JSON. Fields that are mostly empty are absent then. */
export interface WireResult {
  content: string;
  thinking?: string;
  refusal?: string;
  toolCalls?: ChatResult["toolCalls"];
  citations?: ChatResult["citations"];
  logprobs?: ChatResult["logprobs"];
  /** Whether it has a parsed value. */
  isParsed?: true;
  usage?: ChatResult["usage"];
  cost: number | null;
  finishReason: ChatResult["finishReason"];
  model: string;
  endpoint: string;
  cached?: true;
  latency: number;
}

/** The facts that the answer or the error does not have. */
export type WireFacts = Pick<
  CallFacts,
  "at" | "model" | "endpoint" | "queued" | "attempts" | "firstToken" | "duration"
>;

/** The answer as plain JSON. */
export function encodeResult(result: ChatResult): WireResult {
  return {
    content: result.content,
    thinking: result.thinking ?? undefined,
    refusal: result.refusal ?? undefined,
    toolCalls: result.toolCalls.length > 0 ? result.toolCalls : undefined,
    citations: result.citations,
    logprobs: result.logprobs,
    isParsed: result.parsed === undefined ? undefined : true,
    usage: result.usage ?? undefined,
    cost: result.cost,
    finishReason: result.finishReason,
    model: result.model,
    endpoint: result.endpoint,
    cached: result.cached ? true : undefined,
    latency: result.latency,
  };
}

function parsedValue(content: string): unknown {
  try {
    return exactValue(content);
  } catch {
    return undefined;
  }
}

/** The answer of {@link encodeResult}; its `raw` is `null`. */
export function decodeResult(wire: WireResult): ChatResult {
  const { content, toolCalls = [], isParsed, usage = null } = wire;
  const result: ChatResult = {
    content,
    thinking: wire.thinking ?? null,
    refusal: wire.refusal ?? null,
    toolCalls,
    citations: wire.citations,
    logprobs: wire.logprobs,
    message: assistantMessage({ content, toolCalls }),
    usage,
    cost: wire.cost,
    finishReason: wire.finishReason,
    model: wire.model,
    endpoint: wire.endpoint,
    cached: wire.cached ?? false,
    latency: wire.latency,
    raw: null,
  };
  if (isParsed) result.parsed = parsedValue(content);
  return result;
}

/** The facts as plain JSON. */
export function encodeFacts(facts: CallFacts): WireFacts {
  const { at, model, endpoint, queued, attempts, firstToken, duration } = facts;
  return { at, model, endpoint, queued, attempts, firstToken, duration };
}

/** The facts of {@link encodeFacts}, completed from the outcome. */
export function decodeFacts(
  wire: WireFacts,
  outcome: Pick<CallFacts, "usage" | "cost" | "cached" | "outcome" | "errorCode">,
): CallFacts {
  return { ...wire, ...outcome };
}
