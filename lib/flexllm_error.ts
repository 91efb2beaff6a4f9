/**
 * The base class of all errors that this library throws, and their stable codes.
 *
 * @module
 */
import type { Usage } from "./usage.ts";

/** The stable, machine-readable kind of a {@link FlexLLMError}. */
export type ErrorCode =
  | "aborted"
  | "authentication"
  | "budget_exceeded"
  | "cache"
  | "journal"
  | "journal_mismatch"
  | "configuration"
  | "connection"
  | "content_blocked"
  | "http"
  | "internal"
  | "invalid_input"
  | "malformed_response"
  | "quota_exceeded"
  | "rate_limit"
  | "schema_mismatch"
  | "timeout"
  | "unavailable";

/** The part of an answer that arrived before it failed or was cancelled. */
export interface PartialCompletion {
  /** The text received so far, possibly empty. */
  content: string;
  /** The thinking text received so far, or `null`. */
  thinking: string | null;
  /** Token counts, if the server reported them before the failure. */
  usage?: Usage | null;
  /** The cost of the failed attempts in USD; `null` if the model has no known price. */
  cost?: number | null;
}

/** Optional details of an error. */
export interface ErrorDetails {
  /** The underlying error. */
  cause?: unknown;
  /** What the user can do about it, in one sentence. */
  hint?: string;
  /** The part of the answer that had arrived. */
  partial?: PartialCompletion;
}

/** Whether a retry can succeed. */
export interface RetryDetails {
  /**
   * See {@link FlexLLMError.retryable}.
   *
   * @default false
   */
  retryable?: boolean;
  /**
   * See {@link FlexLLMError.fatal}.
   *
   * @default false
   */
  fatal?: boolean;
}

/**
 * The base class of all errors thrown by flexllm.
 *
 * @example
 * ```ts
 * import { FlexLLMError, LLMClient, RateLimitError } from "@flexllm/flexllm";
 *
 * await using client = new LLMClient({ provider: "mock", model: "mock" });
 * try {
 *   await client.chatCompletions([{ role: "user", content: "Hello!" }]);
 * } catch (error) {
 *   if (error instanceof RateLimitError) console.log("retry in", error.retryAfter);
 *   else if (error instanceof FlexLLMError) console.log(error.code, error.message, error.hint);
 *   else throw error;
 * }
 * ```
 */
export class FlexLLMError extends Error {
  /** Always `"FlexLLMError"`. */
  override name = "FlexLLMError";
  /** The stable kind of this error. */
  readonly code: ErrorCode;
  /** What to do about it, in one sentence; `undefined` if the message says it all. */
  readonly hint: string | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Whether every further request to this endpoint would fail the same way. */
  readonly fatal: boolean;
  /** The part of the answer that had arrived before this error. */
  partial?: PartialCompletion;

  /** Creates an error with this code. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails & RetryDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.partial = details.partial;
    this.retryable = details.retryable ?? false;
    this.fatal = details.fatal ?? false;
  }

  /** Whether the endpoint failed rather than the request, so that another endpoint may succeed. */
  get endpointFault(): boolean {
    return ENDPOINT_CODES.has(this.code);
  }
}

/** Codes of endpoint faults other than HTTP errors, which decide by their status. */
const ENDPOINT_CODES: ReadonlySet<ErrorCode> = new Set([
  "connection",
  "timeout",
  "malformed_response",
]);

/**
 * Copies `error` with `changes`. Several callers may share an error, so errors are never modified.
 */
export function copyError<T extends FlexLLMError>(error: T, changes: Partial<T>): T {
  const copy = Object.create(
    Object.getPrototypeOf(error),
    Object.getOwnPropertyDescriptors(error),
  );
  return Object.assign(copy, changes);
}
