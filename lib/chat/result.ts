/**
 * What a chat completion gives back, the same for every provider.
 *
 * @module
 */

import type { AssistantMessage } from "./messages.ts";

/** A call of a tool that the model asks for, in OpenAI's form, so that it can go back as it is. */
export interface ToolCall {
  /** The provider's id, to be named by the tool message that answers it. */
  id: string;
  /** Functions are the only tools so far. */
  type: "function";
  /** What to call. */
  function: {
    name: string;
    /** The arguments as JSON text; a model may write invalid JSON, so parse with care. */
    arguments: string;
  };
}

/** Why the model stopped. `other` stands for reasons that only one provider knows. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "other";

/** Tokens of one completion, counted by the provider. */
export interface Usage {
  /** Tokens read, with cached ones. */
  promptTokens: number;
  /** Tokens written, with reasoning ones. */
  completionTokens: number;
  /** Read and written. */
  totalTokens: number;
  /** Of `promptTokens`, those read from the provider's prompt cache. */
  cachedTokens?: number;
  /** Of `promptTokens`, those written to the provider's prompt cache. */
  cacheWriteTokens?: number;
  /** Of `completionTokens`, those spent on thinking. */
  reasoningTokens?: number;
}

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
  /** The provider's answer as it came; for a stream, the model's name only. */
  raw: unknown;
}
