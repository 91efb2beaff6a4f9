/**
 * Builds and decodes the lines of a result file. The first six fields are those of the Python tool, so
 * that its files can be resumed.
 *
 * @module
 */
import { assistantMessage } from "../../chat/assistant_message.ts";
import type { CallFacts } from "../../chat/call_facts.ts";
import type { Message } from "../../chat/messages.ts";
import { withProviderMessages } from "../../chat/normalize.ts";
import { type RecordOptions, wireOptions } from "../../chat/record_options.ts";
import type { ChatResult, Citation, TokenLogprob } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import type { FlexLLMError } from "../../errors.ts";
import { SchemaMismatchError } from "../../chat/schema_mismatch_error.ts";
import { exactValue } from "../../chat/structured_output.ts";
import { asObject, stringifyExact } from "../../json/json.ts";
import { decodeUsage, encodeUsage, type RecordUsage } from "./record_usage.ts";

/** The fields of a line that describe the call. Times are in seconds. */
export interface CallFields {
  /** When the call was made, as ISO 8601 (UTC). */
  at?: string;
  /** Duration of the attempt that was answered. */
  latency?: number;
  /** Time spent waiting: in the queue, for rate limits, and between attempts. */
  queued?: number;
  /** From sending the last attempt to its first token; only for streams. */
  first_token?: number;
  /** Requests sent; 0 for an answer from the cache. */
  attempts?: number;
  /** The endpoint of the last attempt. */
  endpoint?: string;
}

/** One line of a result file. */
export interface ResultRecord extends CallFields {
  /** The record's position in the input, from 0. */
  index: number;
  /**
   * The model that the batch requested, by its name in the command. Only in files of batches that send each
   * record to several models: their results are identified by `index` and `requested_model`.
   */
  requested_model?: string;
  /** The answer's text; `null` if there is none. */
  output: string | null;
  status: "success" | "error";
  /** The value of a structured answer as the model wrote it, before any transform of a schema. */
  parsed?: unknown;
  /** The messages of the request. */
  input: readonly Message[];
  /** The input record's other fields. */
  metadata?: Record<string, unknown>;
  /** The record's own options, by their names in an input file. */
  options?: Record<string, unknown>;
  /** Identifies the content of the files that `input` refers to by path. */
  content_hash?: string;
  usage?: RecordUsage;
  /** The error's message. */
  error?: string;
  /** The `code` of the {@link FlexLLMError}. */
  error_code?: string;
  /** The model that answered, by the name the server reports. */
  model?: string;
  /** USD; absent if the price is unknown. */
  cost?: number;
  /** USD spent on earlier answers to the record, which this one replaces. */
  spent_before?: number;
  finish_reason?: ChatResult["finishReason"];
  thinking?: string;
  tool_calls?: ToolCall[];
  /** The model's explanation of why it refused. */
  refusal?: string;
  citations?: Citation[];
  logprobs?: TokenLogprob[];
  cached?: true;
}

/** The fields of a line that the journal needs to index it. */
export type LineFacts = Pick<
  ResultRecord,
  "index" | "requested_model" | "status" | "cost" | "spent_before"
>;

/** The part of a record that is known before it is sent. */
export interface RecordHead {
  index: number;
  messages: readonly Message[];
  metadata?: Record<string, unknown>;
  options?: RecordOptions;
  contentHash?: string;
}

/** Messages alone if nothing else matters: older files have the same identity. */
function identity(messages: unknown, options: unknown, contentHash: string | undefined): unknown {
  if (contentHash !== undefined) return { messages, options, content_hash: contentHash };
  return options === undefined ? messages : { messages, options };
}

/**
 * The part of a record that identifies its result; compared on resume. It has the current name of
 * `providerMessage`: version 0.1 wrote another one to its files and gave it to callers.
 */
export function inputIdentity(record: Omit<RecordHead, "index">): unknown {
  const messages = withProviderMessages(record.messages);
  return identity(messages, wireOptions(record.options), record.contentHash);
}

/** The {@link inputIdentity} of the record that a line is the result of. */
export function lineIdentity({ input, options, content_hash }: ResultRecord): unknown {
  return identity(withProviderMessages(input), asObject(options) && options, content_hash);
}

/**
 * The JSON that the model wrote for the parsed value, with its spelling of numbers. Not the value itself:
 * a schema may output anything, such as a `Map` or a circular object. The value is computed again when
 * the record is restored.
 */
function parsedJson({ parsed, content }: ChatResult): unknown {
  if (parsed === undefined) return undefined;
  try {
    return exactValue(content);
  } catch {
    // Only a foreign implementation of the client parses an answer that is not JSON.
    return undefined;
  }
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000) / 1000;
}

/** The record of an answer. `undefined` fields are not written. */
export function successRecord(
  head: RecordHead,
  result: ChatResult,
  facts?: CallFacts,
): ResultRecord {
  return {
    index: head.index,
    output: result.content,
    status: "success",
    parsed: parsedJson(result),
    input: head.messages,
    metadata: head.metadata,
    options: wireOptions(head.options),
    content_hash: head.contentHash,
    usage: result.usage === null ? undefined : encodeUsage(result.usage),
    model: result.model,
    endpoint: facts?.endpoint,
    cost: result.cost ?? undefined,
    at: facts && new Date(facts.at).toISOString(),
    latency: milliseconds(result.latency),
    queued: milliseconds(facts?.queued),
    first_token: milliseconds(facts?.firstToken),
    attempts: facts?.attempts,
    finish_reason: result.finishReason,
    thinking: result.thinking ?? undefined,
    tool_calls: result.toolCalls.length > 0 ? result.toolCalls : undefined,
    refusal: result.refusal ?? undefined,
    citations: result.citations,
    logprobs: result.logprobs,
    cached: result.cached ? true : undefined,
  };
}

/** The record of a failure, including what it cost. */
export function errorRecord(
  head: RecordHead,
  error: FlexLLMError,
  facts?: CallFacts,
): ResultRecord {
  const rejected = error instanceof SchemaMismatchError ? error.result : undefined;
  const { usage, cost } = rejected ?? error.partial ?? {};
  return {
    index: head.index,
    output: rejected?.content ?? null,
    status: "error",
    input: head.messages,
    metadata: head.metadata,
    options: wireOptions(head.options),
    content_hash: head.contentHash,
    usage: usage ? encodeUsage(usage) : undefined,
    endpoint: facts?.endpoint,
    cost: cost ?? undefined,
    at: facts && new Date(facts.at).toISOString(),
    queued: milliseconds(facts?.queued),
    first_token: milliseconds(facts?.firstToken),
    attempts: facts?.attempts,
    error: error.message,
    error_code: error.code,
  };
}

/** The JSON of a record, without a newline. */
export function encodeRecord(record: ResultRecord): string {
  try {
    return stringifyExact(record);
  } catch {
    // An input that cannot be encoded is never sent, but its failure is recorded.
    return stringifyExact({ ...record, input: undefined, metadata: undefined, options: undefined });
  }
}

/** The answer in a line of a result file. Its `raw` is the record. */
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
    endpoint: record.endpoint ?? "",
    cached: record.cached ?? false,
    latency: record.latency ?? 0,
    raw: record,
  };
}
