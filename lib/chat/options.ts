/**
 * The options of one chat completion.
 *
 * @module
 */

import type { CacheControl } from "./messages.ts";

/** A function the model may call. */
export interface FunctionTool {
  /** Says that this is a function. */
  type: "function";
  /** What the model is told of it. */
  function: {
    /** At most 64 characters of `[A-Za-z0-9_-]`. */
    name: string;
    description?: string;
    /** A JSON schema of the arguments. */
    parameters?: Record<string, unknown>;
    /** Whether the arguments must fit the schema exactly. */
    strict?: boolean;
  };
  /** See {@link TextPart.cache_control}. */
  cache_control?: CacheControl;
}

/**
 * A tool that the provider defines or runs itself, in the provider's own form: `{type: "web_search"}`,
 * `{googleSearch: {}}`. It is sent unchanged.
 */
export interface ProviderTool {
  /** The provider's own fields. */
  readonly [field: string]: unknown;
}

/** A tool the model may use. */
export type Tool = FunctionTool | ProviderTool;

/** Whether `tool` is a function of yours rather than a provider's own tool. */
export function isFunctionTool(tool: Tool): tool is FunctionTool {
  return tool.type === "function" && typeof tool.function === "object" && tool.function !== null;
}

/** Which tools the model may, or must, call. */
export type ToolChoice =
  | "none"
  | "auto"
  | "required"
  | { type: "function"; function: { name: string } }
  | {
    type: "allowed_tools";
    allowed_tools: {
      mode: "auto" | "required";
      tools: { type: "function"; function: { name: string } }[];
    };
  };

/** The form of the answer. */
export type ResponseFormat =
  | { type: "text" }
  | { type: "json_object" }
  | {
    type: "json_schema";
    json_schema: {
      name: string;
      description?: string;
      schema: Record<string, unknown>;
      strict?: boolean;
    };
  };

/**
 * How much the model should think: `true` and `false` for on and off, a level, or a budget in tokens.
 * Each provider and model generation is asked in its own way; what one cannot do is an error.
 */
export type Thinking = boolean | ThinkingLevel | number;

/** How much to think, from least to most. No model knows all of these levels. */
export type ThinkingLevel = "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** All levels of thinking, from least to most. */
export const THINKING_LEVELS: readonly ThinkingLevel[] = [
  "minimal",
  "low",
  "medium",
  "high",
  "xhigh",
  "max",
];

/** How the model should answer. What is left out is the provider's default. */
export interface SamplingOptions {
  /** Randomness, 0 to 2. */
  temperature?: number;
  /** Nucleus sampling, 0 to 1. */
  topP?: number;
  /** Only the this many likeliest tokens are considered. */
  topK?: number;
  /** How much to think; the model's default when left out. */
  thinking?: Thinking;
  /** The most tokens to write, thinking included. */
  maxTokens?: number;
  /** Texts that end the answer, at most four with OpenAI. */
  stop?: string | string[];
  /** Asks for the same answer each time; no provider promises it. */
  seed?: number;
  /** -2 to 2; positive values make new topics likelier. */
  presencePenalty?: number;
  /** -2 to 2; positive values make repetition less likely. */
  frequencyPenalty?: number;
  /** The tools that the model may call. */
  tools?: Tool[];
  /** Whether it may, must or must not; default `auto` when there are tools. */
  toolChoice?: ToolChoice;
  /** Whether the model may call several tools at once. */
  parallelToolCalls?: boolean;
  /** The form of the answer; default text. */
  responseFormat?: ResponseFormat;
  /**
   * Further fields for the request's body, as the server names them. Objects are merged deeply and
   * `tools` are appended; setting one field to two different values is an error.
   */
  extraBody?: Record<string, unknown>;
}

/** The options of one call. */
export interface ChatOptions extends SamplingOptions {
  /** The model to ask instead of the client's. */
  model?: string;
  /**
   * Seconds one try may take: the whole answer, or, for a stream, the wait for the first event and
   * each silence between two events with content. Default: the client's.
   */
  timeout?: number;
  /**
   * How often to ask again when the answer does not fit `responseFormat`, showing the model what was
   * wrong; default 0. Usage and cost are those of all answers.
   */
  schemaRetries?: number;
  /** Whether the client's cache may answer, and keeps the answer; default yes where it has one. */
  cache?: boolean;
  /** Cancels the call; it then throws {@link AbortedError}. */
  signal?: AbortSignal;
}
