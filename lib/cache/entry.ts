/**
 * Encodes answers as signed store entries, and verifies and decodes them.
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

/** The stored part of an answer. Empty fields are left out, and `raw` is never stored. */
interface StoredAnswer {
  content: string;
  thinking?: string;
  toolCalls?: ToolCall[];
  providerMessage?: ProviderMessage;
  /** The name of `providerMessage` in entries of version 0.1. */
  native?: ProviderMessage;
  /** Never stored, but shared with callers that wait for the same request. */
  refusal?: string;
  citations?: Citation[];
  logprobs?: TokenLogprob[];
  /** In an array, because `null` is a value. */
  parsed?: [unknown];
  usage?: Usage;
  finishReason: FinishReason;
  model: string;
}

/** Whether an answer can be stored: only complete answers can. */
export function isStorable({ finishReason, refusal }: ChatResult): boolean {
  return refusal === null && (finishReason === "stop" || finishReason === "tool_calls");
}

/** Encodes an answer as JSON. */
export function encodeAnswer(result: ChatResult): string {
  const answer: StoredAnswer = {
    content: result.content,
    thinking: result.thinking ?? undefined,
    toolCalls: result.toolCalls.length > 0 ? result.toolCalls : undefined,
    providerMessage: result.message.providerMessage,
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
 * Decodes the JSON of {@link encodeAnswer} to a cached result, which costs nothing and has no `raw`. `endpoint` is
 * the server of the original answer, `latency` the duration of the lookup in seconds.
 */
export function decodeAnswer(json: string, endpoint: string, latency: number): ChatResult {
  const answer: StoredAnswer = JSON.parse(json);
  const { content, thinking = null, toolCalls = [], usage = null } = answer;
  const native = answer.providerMessage ?? answer.native;
  return {
    content,
    thinking,
    refusal: answer.refusal ?? null,
    citations: answer.citations,
    logprobs: answer.logprobs,
    toolCalls,
    message: assistantMessage({ content, toolCalls, providerMessage: native }),
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

/** The length of a digest: 132 bits in base64url. */
const DIGEST_LENGTH = 22;

function digest(key: string, created: number, json: string): string {
  return hash("sha256", `${key} ${created}\n${json}`, "base64url").slice(0, DIGEST_LENGTH);
}

/**
 * The entry of an answer. Its value starts with a digest of the key, the time and the answer. This detects a
 * store that returns the answer of another request, an answer with a newer time, or an incomplete one.
 */
export function signedEntry(
  key: string,
  created: number,
  model: string,
  json: string,
): KeyedEntry {
  return { key, created, model, value: digest(key, created, json) + json };
}

/** The answer in an entry found under `key`; `undefined` if the digest does not match. */
export function verifiedAnswer(key: string, { value, created }: StoredEntry): string | undefined {
  const json = value.slice(DIGEST_LENGTH);
  return value.slice(0, DIGEST_LENGTH) === digest(key, created, json) ? json : undefined;
}
