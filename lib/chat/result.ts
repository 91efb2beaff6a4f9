/**
 * What a chat completion gives back, the same for every provider.
 *
 * @module
 */

import type { Usage } from "../usage.ts";
import type { AssistantMessage } from "./messages.ts";
import type { ToolCall } from "./tool_call.ts";

/** A source that the model cites, in one form for all providers. */
export interface Citation {
  /** Where it is on the web. */
  url?: string;
  /** Its title. */
  title?: string;
  /** The passage of the source. */
  text?: string;
  /** The part of `content` that the source supports, in UTF-16 units: from `start` up to `end`. */
  start?: number;
  /** See `start`. */
  end?: number;
  /** The citation as the provider gave it. */
  raw: unknown;
}

/** The log probability of one token of the answer. */
export interface TokenLogprob {
  /** The token. */
  token: string;
  /** The natural logarithm of its probability. */
  logprob: number;
  /** The token as UTF-8, where the provider gives it. */
  bytes?: number[] | null;
  /** The likeliest tokens at this place. */
  topLogprobs?: { token: string; logprob: number; bytes?: number[] | null }[];
}

/** Why the model stopped. `other` stands for reasons that only one provider knows. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "other";

/** The result of one chat completion. */
export interface ChatResult {
  /** The answer's text; empty when the model only called tools. */
  content: string;
  /** The model's thinking, or `null` when it did not think or does not show it. */
  thinking: string | null;
  /** The tools to call, in the model's order; empty when there are none. */
  toolCalls: ToolCall[];
  /**
   * The answer as a message for the next turn, with everything that its provider wants back: thinking
   * signatures, reasoning items.
   */
  message: AssistantMessage;
  /**
   * Why the model refused to answer, in its own words; `null` when it did not. `finishReason` is then
   * `content_filter`, and `content` holds these words when there is no other text.
   */
  refusal: string | null;
  /** The sources that the model cites; absent when there are none. */
  citations?: Citation[];
  /** The log probabilities of the answer's tokens, where they were asked for. */
  logprobs?: TokenLogprob[];
  /** The value of an answer that was asked for as JSON (`responseFormat`); else `undefined`. */
  parsed?: unknown;
  /** Token counts, or `null` when the server did not report them. */
  usage: Usage | null;
  /** Cost in USD, or `null` when the model's price is not known. */
  cost: number | null;
  /** Why the model stopped. */
  finishReason: FinishReason;
  /** The model as the server names it. */
  model: string;
  /** The base URL of the server that answered; empty when it is not known (a result of a file). */
  endpoint: string;
  /** Whether the answer came from the response cache. */
  cached: boolean;
  /** Seconds from sending the successful request to the end of its answer. */
  latency: number;
  /** The provider's answer as it came; for a stream, the model's name and what its events cannot carry. */
  raw: unknown;
}
