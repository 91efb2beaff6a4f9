/**
 * The options of one chat completion.
 *
 * @module
 */

/** A function the model may call. */
export interface Tool {
  /** Functions are the only tools so far. */
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
}

/** Which tools the model may, or must, call. */
export type ToolChoice =
  | "none"
  | "auto"
  | "required"
  | { type: "function"; function: { name: string } };

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
export type Thinking = boolean | "minimal" | "low" | "medium" | "high" | number;

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
  /** Further fields for the request's body, as the server names them; they win over all others. */
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
