/**
 * Answers as they are stored, and back.
 *
 * @module
 */
import { hash } from "node:crypto";
import { assistantMessage } from "../chat/assistant_message.ts";
import type { ProviderMessage } from "../chat/messages.ts";
import type { ChatResult, Citation, FinishReason, TokenLogprob } from "../chat/result.ts";
import type { Usage } from "../usage.ts";
import type { ToolCall } from "../chat/tool_call.ts";
import type { KeyedEntry, StoredEntry } from "./store.ts";

/** What is stored of an answer. What is empty is left out; `raw` is never kept. */
interface StoredAnswer {
  content: string;
  thinking?: string;
  toolCalls?: ToolCall[];
  native?: ProviderMessage;
  /** Never stored, but shared with callers that wait for the same request. */
  refusal?: string;
  citations?: Citation[];
  logprobs?: TokenLogprob[];
  /** In an array, since `null` is a value, too. */
  parsed?: [unknown];
  usage?: Usage;
  finishReason: FinishReason;
  model: string;
}

/** Whether an answer is complete, so that it can stand for the next one to the same request. */
export function isStorable({ finishReason, refusal }: ChatResult): boolean {
  return refusal === null && (finishReason === "stop" || finishReason === "tool_calls");
}

/** An answer as JSON. */
export function encodeAnswer(result: ChatResult): string {
  const answer: StoredAnswer = {
    content: result.content,
    thinking: result.thinking ?? undefined,
    toolCalls: result.toolCalls.length > 0 ? result.toolCalls : undefined,
    native: result.message.native,
    refusal: result.refusal ?? undefined,
    citations: result.citations,
    logprobs: result.logprobs,
    parsed: result.parsed === undefined ? undefined : [result.parsed],
    usage: result.usage ?? undefined,
    finishReason: result.finishReason,
    model: result.model,
  };
  return JSON.stringify(answer);
}

/**
 * The answer in JSON of {@link encodeAnswer}, as a result that was not paid for: it came from
 * `endpoint` once and took `latency` seconds to read. Its `raw` is `null`.
 */
export function decodeAnswer(json: string, endpoint: string, latency: number): ChatResult {
  const answer: StoredAnswer = JSON.parse(json);
  const { content, thinking = null, toolCalls = [], native, usage = null } = answer;
  return {
    content,
    thinking,
    refusal: answer.refusal ?? null,
    citations: answer.citations,
    logprobs: answer.logprobs,
    toolCalls,
    message: assistantMessage({ content, toolCalls, native }),
    parsed: answer.parsed?.[0],
    usage,
    cost: 0,
    finishReason: answer.finishReason,
    model: answer.model,
    endpoint,
    cached: true,
    latency,
    raw: null,
  };
}

/** 132 bits. */
const SEAL_LENGTH = 22;

function sealOf(key: string, created: number, json: string): string {
  return hash("sha256", `${key} ${created}\n${json}`, "base64url").slice(0, SEAL_LENGTH);
}

/**
 * The entry of an answer. A seal over the whole request's key, the time and the answer stands before
 * it, so that no store can make one answer pass for another, for a newer one, or for a whole one.
 */
export function sealedEntry(
  key: string,
  created: number,
  model: string,
  json: string,
): KeyedEntry {
  return { key, created, model, value: sealOf(key, created, json) + json };
}

/** The answer in an entry that was found under `key`; `undefined` when it does not belong there. */
export function openedEntry(key: string, { value, created }: StoredEntry): string | undefined {
  const json = value.slice(SEAL_LENGTH);
  return value.slice(0, SEAL_LENGTH) === sealOf(key, created, json) ? json : undefined;
}
