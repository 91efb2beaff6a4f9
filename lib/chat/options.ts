/**
 * The options of one chat completion.
 *
 * @module
 */
import type { CacheControl } from "./messages.ts";
import type { RetryNotice } from "./retry_notice.ts";
import type { StandardSchemaV1 } from "./standard_schema.ts";

/** A function that the model can call. */
export interface FunctionTool {
  /** Identifies this as a function. */
  type: "function";
  /** The description that the model gets. */
  function: {
    /** Up to 64 characters of `[A-Za-z0-9_-]`. */
    name: string;
    /** What the function does and when to call it. */
    description?: string;
    /** The arguments, as a JSON Schema or a Standard Schema (zod, valibot, arktype). */
    parameters?: Record<string, unknown> | StandardSchemaV1;
    /** Whether the arguments must match the schema exactly. */
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

/** A tool that the model can use. */
export type Tool = FunctionTool | ProviderTool;

/** Whether `tool` is one of your functions rather than a provider's own tool. */
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

/** Requests JSON that matches a JSON Schema. */
export interface JsonSchemaFormat {
  /** Identifies this as a JSON Schema. */
  type: "json_schema";
  /** The schema, in OpenAI's form. */
  json_schema: {
    /** A name for the schema: up to 64 characters of `[A-Za-z0-9_-]`. */
    name: string;
    /** What the answer is for. */
    description?: string;
    /** The JSON Schema, draft 2020-12. */
    schema: Record<string, unknown>;
    /** Whether the provider must enforce the schema exactly, if it can. */
    strict?: boolean;
  };
}

/** The format of the answer: text, any JSON, or JSON that matches a JSON Schema. */
export type ResponseFormat = { type: "text" } | { type: "json_object" } | JsonSchemaFormat;

/** Any value of `responseFormat`: a {@link ResponseFormat}, or a zod, valibot or arktype schema. */
export type AnyResponseFormat = ResponseFormat | StandardSchemaV1;

/** The type of `parsed` for a response format: the output of a Standard Schema, else `unknown`. */
export type Parsed<Format> = Format extends StandardSchemaV1<infer _Input, infer Output> ? Output
  : unknown;

/**
 * How much the model should think: `true` and `false` for on and off, a level, or a budget in tokens.
 * Each provider and model generation has its own parameter for it; an unsupported value is an error.
 */
export type Thinking = boolean | ThinkingLevel | number;

/** How much to think, from least to most. No model supports all of these levels. */
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

/** Options that change the answer. Each defaults to the provider's own default. */
export interface SamplingOptions<Format extends AnyResponseFormat = ResponseFormat> {
  /** Randomness, 0 to 2. */
  temperature?: number;
  /** Nucleus sampling, 0 to 1. */
  topP?: number;
  /** Samples only from the `topK` most likely tokens. */
  topK?: number;
  /** How much to think. */
  thinking?: Thinking;
  /** Maximum tokens in the answer, thinking included. */
  maxTokens?: number;
  /** Texts that end the answer; OpenAI accepts up to four. */
  stop?: string | readonly string[];
  /** Requests reproducible answers; no provider guarantees them. */
  seed?: number;
  /** -2 to 2; positive values make new topics more likely. */
  presencePenalty?: number;
  /** -2 to 2; positive values make repetition less likely. */
  frequencyPenalty?: number;
  /** The tools that the model may call. */
  tools?: readonly Tool[];
  /**
   * Whether the model may, must or must not call tools.
   *
   * @default `auto` if there are tools
   */
  toolChoice?: ToolChoice;
  /** Whether the model may call several tools at once. */
  parallelToolCalls?: boolean;
  /**
   * The format of the answer. JSON is parsed into {@link ChatResult.parsed} and checked against the
   * schema, which may be a Standard Schema (zod, valibot, arktype).
   *
   * @default text
   */
  responseFormat?: Format;
  /**
   * Additional fields for the request body, under the server's names. Objects are merged deeply and
   * `tools` are appended; setting one field to two different values is an error.
   */
  extraBody?: Record<string, unknown>;
}

/**
 * The options of one call. Times are in seconds. `Format` is the type of `responseFormat`; with a zod, valibot
 * or arktype schema, that is `typeof schema`.
 */
export interface ChatOptions<Format extends AnyResponseFormat = ResponseFormat>
  extends SamplingOptions<Format> {
  /**
   * The model.
   *
   * @default the client's `model`
   */
  model?: string;
  /**
   * Timeout per attempt, in seconds, up to a day: for the whole answer, or, for a stream, until the first
   * event and between two events with content.
   *
   * @default the client's `timeout`
   */
  timeout?: number;
  /**
   * How many times to retry when the answer doesn't match `responseFormat`, showing the model what was
   * wrong. Usage and cost are the sum of all answers.
   *
   * @default 0
   */
  schemaRetries?: number;
  /**
   * Whether to use the client's response cache for this call.
   *
   * @default true
   */
  cache?: boolean;
  /** Cancels the call, which then throws {@link AbortedError}. */
  signal?: AbortSignal;
  /** Called when an attempt has failed, before the wait for the next one. */
  onRetry?: (notice: RetryNotice) => void;
}
