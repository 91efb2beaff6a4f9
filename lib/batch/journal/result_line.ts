/**
 * One line of a result file. The first six fields are those of the Python tool, so that files begun
 * by it can be resumed.
 *
 * @module
 */
import { assistantMessage } from "../../chat/assistant_message.ts";
import type { CallFacts } from "../../chat/call_facts.ts";
import type { Message } from "../../chat/messages.ts";
import { type RecordOptions, wireOptions } from "../../chat/record_options.ts";
import type { ChatResult, Citation, TokenLogprob } from "../../chat/result.ts";
import type { Usage } from "../../usage.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import type { FlexLLMError } from "../../errors.ts";
import { SchemaMismatchError } from "../../chat/schema_mismatch_error.ts";
import { exactValue } from "../../chat/structured_output.ts";
import { canonicalJsonOfDoubles } from "../../json/canonical.ts";
import { asObject, mayBeInexact, stringifyExact } from "../../json/json.ts";

/** Token counts as they stand in a result file. */
export interface RecordUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cached_tokens?: number;
  cache_write_tokens?: number;
  cache_write_hour_tokens?: number;
  reasoning_tokens?: number;
}

/** One line of a result file. */
export interface ResultRecord {
  /** The record's place in the input, counted from 0. */
  index: number;
  /** The answer's text; `null` when there is none. */
  output: string | null;
  status: "success" | "error";
  /** The value of an answer that was asked for as JSON. */
  parsed?: unknown;
  /** The messages that were sent. */
  input: readonly Message[];
  /** The other fields of the input record. */
  metadata?: Record<string, unknown>;
  /** The record's own options, under their names in an input file. */
  options?: Record<string, unknown>;
  usage?: RecordUsage;
  /** What went wrong, for a person. */
  error?: string;
  /** What went wrong, for a program: the `code` of a {@link FlexLLMError}. */
  error_code?: string;
  model?: string;
  /** USD; absent when the price is not known. */
  cost?: number;
  /** USD that earlier answers to the same record have cost, which this one takes the place of. */
  spent_before?: number;
  /** Seconds. */
  latency?: number;
  finish_reason?: ChatResult["finishReason"];
  thinking?: string;
  tool_calls?: ToolCall[];
  /** Why the model refused to answer, in its own words. */
  refusal?: string;
  citations?: Citation[];
  logprobs?: TokenLogprob[];
  cached?: true;
}

/** The part of a record that says what it is a result of. */
export interface RecordHead {
  index: number;
  messages: readonly Message[];
  metadata?: Record<string, unknown>;
  options?: RecordOptions;
}

function encodeUsage(usage: Usage): RecordUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    cached_tokens: usage.cachedTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    cache_write_hour_tokens: usage.cacheWriteHourTokens,
    reasoning_tokens: usage.reasoningTokens,
  };
}

function decodeUsage(usage: RecordUsage): Usage {
  const decoded: Usage = {
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    totalTokens: usage.total_tokens,
  };
  if (usage.cached_tokens !== undefined) decoded.cachedTokens = usage.cached_tokens;
  if (usage.cache_write_tokens !== undefined) decoded.cacheWriteTokens = usage.cache_write_tokens;
  if (usage.cache_write_hour_tokens !== undefined) {
    decoded.cacheWriteHourTokens = usage.cache_write_hour_tokens;
  }
  if (usage.reasoning_tokens !== undefined) decoded.reasoningTokens = usage.reasoning_tokens;
  return decoded;
}

/** What of a record must be the same for its result to be that of the record. */
export function inputIdentity({ messages, options }: Omit<RecordHead, "index">): unknown {
  const own = wireOptions(options);
  // The messages alone where there is no more: files of before are compared as they were.
  return own === undefined ? messages : { messages, options: own };
}

/** The same of a line of a result file. */
export function comparedLine({ input, options }: ResultRecord): unknown {
  return asObject(options) === undefined ? input : { messages: input, options };
}

/** The parsed value, with its numbers as the model wrote them where they are the same value. */
function exactParsed({ parsed, content }: ChatResult): unknown {
  if (parsed === undefined || !mayBeInexact(content)) return parsed;
  try {
    const exact = exactValue(content);
    return canonicalJsonOfDoubles(exact) === canonicalJsonOfDoubles(parsed) ? exact : parsed;
  } catch {
    return parsed;
  }
}

/** The record of a completion; `undefined` fields are left out when it is written. */
export function successRecord(
  head: RecordHead,
  result: ChatResult,
  _facts?: CallFacts,
): ResultRecord {
  return {
    index: head.index,
    output: result.content,
    status: "success",
    parsed: exactParsed(result),
    input: head.messages,
    metadata: head.metadata,
    options: wireOptions(head.options),
    usage: result.usage === null ? undefined : encodeUsage(result.usage),
    model: result.model,
    cost: result.cost ?? undefined,
    latency: Math.round(result.latency * 1000) / 1000,
    finish_reason: result.finishReason,
    thinking: result.thinking ?? undefined,
    tool_calls: result.toolCalls.length > 0 ? result.toolCalls : undefined,
    refusal: result.refusal ?? undefined,
    citations: result.citations,
    logprobs: result.logprobs,
    cached: result.cached ? true : undefined,
  };
}

/** The record of a failure, with what was paid for it. */
export function errorRecord(
  head: RecordHead,
  error: FlexLLMError,
  _facts?: CallFacts,
): ResultRecord {
  const answer = error instanceof SchemaMismatchError ? error.result : undefined;
  const { usage, cost } = answer ?? error.partial ?? {};
  return {
    index: head.index,
    output: answer?.content ?? null,
    status: "error",
    input: head.messages,
    metadata: head.metadata,
    options: wireOptions(head.options),
    usage: usage ? encodeUsage(usage) : undefined,
    cost: cost ?? undefined,
    error: error.message,
    error_code: error.code,
  };
}

/** The line of a record, without its end. */
export function encodeRecord(record: ResultRecord): string {
  try {
    return stringifyExact(record);
  } catch {
    // Such an input is refused before it is sent, but its failure is still recorded.
    return stringifyExact({ ...record, input: undefined, metadata: undefined, options: undefined });
  }
}

/** The completion that a record holds; `raw` is the record. */
export function recordedResult(record: ResultRecord): ChatResult {
  const content = record.output ?? "";
  const toolCalls = record.tool_calls ?? [];
  return {
    content,
    parsed: record.parsed,
    thinking: record.thinking ?? null,
    refusal: record.refusal ?? null,
    citations: record.citations,
    logprobs: record.logprobs,
    toolCalls,
    message: assistantMessage({ content, toolCalls }),
    usage: record.usage ? decodeUsage(record.usage) : null,
    cost: record.cost ?? null,
    finishReason: record.finish_reason ?? "other",
    model: record.model ?? "",
    endpoint: "",
    cached: record.cached ?? false,
    latency: record.latency ?? 0,
    raw: record,
  };
}

/** Above this an index is a mistake, not a place in an input. */
const MAX_INDEX = 100_000_000;

function recordProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return "it is not a JSON object";
  }
  const { index, status } = value as Partial<ResultRecord>;
  if (!Number.isSafeInteger(index) || index! < 0) return 'it has no "index" that counts from 0';
  if (index! > MAX_INDEX) return "its index is too large";
  if (status !== "success" && status !== "error") {
    return 'its "status" is neither "success" nor "error"';
  }
  return undefined;
}

/** The record in a line of a result file, or what is wrong with it as one. */
export function readRecord(line: string): ResultRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is not JSON";
  }
  return recordProblem(value) ?? value as ResultRecord;
}
