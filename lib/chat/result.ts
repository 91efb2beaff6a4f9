/**
 * The result of a chat completion, the same for every provider.
 *
 * @module
 */
import type { Usage } from "../usage.ts";
import type { AssistantMessage } from "./messages.ts";
import type { ToolCall } from "./tool_call.ts";

/** A source that the model cites, in one form for all providers. */
export interface Citation {
  /** The URL of the source. */
  url?: string;
  /** The title of the source. */
  title?: string;
  /** The cited passage of the source. */
  text?: string;
  /** The start of the supported part of `content`, in UTF-16 code units. */
  start?: number;
  /** The end of that part, exclusive. */
  end?: number;
  /** The citation in the provider's own form. */
  raw: unknown;
}

/** The log probability of one token of the answer. */
export interface TokenLogprob {
  /** The token. */
  token: string;
  /** The natural logarithm of its probability. */
  logprob: number;
  /** The UTF-8 bytes of the token, if the provider sends them. */
  bytes?: number[] | null;
  /** The most likely tokens at this position. */
  topLogprobs?: { token: string; logprob: number; bytes?: number[] | null }[];
}

/** Why the model stopped. `other` covers reasons that only one provider has. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "other";

/**
 * The result of one chat completion. `ParsedValue` is the type of {@link ChatResult.parsed}: the output
 * type if `responseFormat` was a Standard Schema (zod, valibot, arktype), else `unknown`.
 */
export interface ChatResult<ParsedValue = unknown> {
  /** The text of the answer; empty if the model only called tools. */
  content: string;
  /** The model's thinking; `null` if it did not think or its thinking is hidden. */
  thinking: string | null;
  /** The tool calls, in the model's order; empty if there are none. */
  toolCalls: ToolCall[];
  /**
   * The answer as a message for the next turn, with everything that its provider needs back: thinking
   * signatures, reasoning items.
   */
  message: AssistantMessage;
  /**
   * The model's refusal in its own words; `null` if it did not refuse. If it did, `finishReason` is
   * `content_filter`, and `content` is the refusal unless there is other text.
   */
  refusal: string | null;
  /** The cited sources; absent if there are none. */
  citations?: Citation[];
  /** The log probabilities of the answer's tokens, if they were requested. */
  logprobs?: TokenLogprob[];
  /**
   * The validated value of a structured answer (see `responseFormat`). Absent for text, refusals and tool
   * calls.
   */
  parsed?: ParsedValue;
  /** Token counts; `null` if the server did not report them. */
  usage: Usage | null;
  /** Cost in USD, including failed attempts; `null` if the model has no known price. */
  cost: number | null;
  /** Why the model stopped. */
  finishReason: FinishReason;
  /** The model, under the server's name for it. */
  model: string;
  /** The base URL of the server that answered; empty for a result restored from a file without it. */
  endpoint: string;
  /** Whether the answer came from the response cache. */
  cached: boolean;
  /** Seconds from sending the successful request to the end of its answer; 0 in a provider batch. */
  latency: number;
  /** The provider's own answer. For a stream: the model's name, and data that events do not contain. */
  raw: unknown;
}
