/**
 * The errors that this library throws. All are {@link FlexLLMError}s with a stable `code`: branch on the
 * class or on the code, never on the message.
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

/** Whether it makes sense to retry. */
interface RetryDetails {
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

/** An option, flag, environment variable or configuration file is wrong. Nothing was sent. */
export class ConfigurationError extends FlexLLMError {
  /** Always `"ConfigurationError"`. */
  override name = "ConfigurationError";

  /** Creates a configuration error. */
  constructor(message: string, details?: ErrorDetails) {
    super("configuration", message, details);
  }
}

/** A message or an input record is unreadable or invalid. Nothing was sent for it. */
export class InvalidInputError extends FlexLLMError {
  /** Always `"InvalidInputError"`. */
  override name = "InvalidInputError";

  /** Creates an input error. */
  constructor(message: string, details?: ErrorDetails) {
    super("invalid_input", message, details);
  }
}

/** A bug in flexllm that one record of a batch triggered. The batch continues with the other records. */
export class InternalError extends FlexLLMError {
  /** Always `"InternalError"`. */
  override name = "InternalError";

  /** Creates an error for the unexpected `cause`. */
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("internal", `unexpected: ${reason} (this is a bug in flexllm)`, {
      cause,
      hint: "Please report it together with the record: https://github.com/flexllm/flexllm/issues",
    });
  }
}

/** The call was cancelled: by its `AbortSignal`, by closing the client or by leaving a stream. */
export class AbortedError extends FlexLLMError {
  /** Always `"AbortedError"`. */
  override name = "AbortedError";

  /** Creates an abort error. */
  constructor(message = "the request was cancelled", details?: ErrorDetails) {
    super("aborted", message, details);
  }
}

/** The error of work that `signal` aborted. Its cause is the signal's reason. */
export function abortedBy(signal: AbortSignal | undefined): AbortedError {
  const reason: unknown = signal?.reason;
  return reason instanceof AbortedError ? reason : new AbortedError(undefined, { cause: reason });
}

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

/** Details of a failed connection. */
export interface ConnectionErrorDetails extends ErrorDetails {
  /**
   * Whether the request may have reached the server.
   *
   * @default true
   */
  sent?: boolean;
}

/** The server is unreachable, or the connection broke before the answer was complete. */
export class ConnectionError extends FlexLLMError {
  /** Always `"ConnectionError"`. */
  override name = "ConnectionError";
  /** Whether the request may have reached the server, which may then bill it. */
  readonly sent: boolean;

  /** Creates a connection error. */
  constructor(message: string, details: ConnectionErrorDetails = {}) {
    super("connection", message, { ...details, retryable: true });
    this.sent = details.sent ?? true;
  }
}

/** The answer, or the next event of a stream, took longer than `timeout`. */
export class TimeoutError extends FlexLLMError {
  /** Always `"TimeoutError"`. */
  override name = "TimeoutError";
  /** The timeout, in seconds. */
  readonly timeout: number;

  /** Creates an error for a timeout of `timeout` seconds. */
  constructor(message: string, timeout: number, details?: ErrorDetails) {
    super("timeout", message, { ...details, retryable: true });
    this.timeout = timeout;
  }
}

/** Details of a server's error response. */
export interface HttpErrorDetails extends ErrorDetails {
  /** The HTTP status; 200 if the error came in a successful response. */
  status: number;
  /** The provider's own message, with API keys removed. */
  providerMessage?: string;
  /** The provider's own error code or type, e.g. `context_length_exceeded`. */
  providerCode?: string;
  /** The provider's id of the request, for its support team. */
  requestId?: string;
  /** Seconds after which the server wants the request to be retried. */
  retryAfter?: number;
  /**
   * Whether the server says that a retry may help.
   *
   * @default decided by the status
   */
  retryable?: boolean;
  /**
   * Whether the server is still loading the model.
   *
   * @default false
   */
  loading?: boolean;
}

/** Statuses below 500 after which the same request may succeed later. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 409, 425, 429]);

function isRetryableStatus(status: number): boolean {
  return status >= 500 || RETRYABLE_STATUSES.has(status);
}

/** The server responded with an error. */
export class HttpError extends FlexLLMError {
  /** Always `"HttpError"`. */
  override name = "HttpError";
  /** The HTTP status; 200 if the error came in a successful response. */
  readonly status: number;
  /** The provider's own message, with API keys removed. */
  readonly providerMessage: string | undefined;
  /** The provider's own error code or type. */
  readonly providerCode: string | undefined;
  /** The provider's id of the request. */
  readonly requestId: string | undefined;
  /** Seconds after which the server wants the request to be retried; `undefined` if it did not say. */
  readonly retryAfter: number | undefined;
  /** Whether the server is still loading the model, and will respond once that is done. */
  readonly loading: boolean;

  /** Creates an error for a server's response. */
  constructor(message: string, details: HttpErrorDetails & RetryDetails, code: ErrorCode = "http") {
    super(code, message, {
      ...details,
      retryable: details.retryable ?? isRetryableStatus(details.status),
      fatal: details.fatal ?? details.status === 404,
    });
    this.status = details.status;
    this.providerMessage = details.providerMessage;
    this.providerCode = details.providerCode;
    this.requestId = details.requestId;
    this.retryAfter = details.retryAfter;
    this.loading = details.loading ?? false;
  }

  /** Whether the endpoint failed rather than the request: rate limits and server errors, for example. */
  override get endpointFault(): boolean {
    return this.fatal || this.retryable || this.status === 429;
  }
}

/** The server rejected the API key (401, 403). */
export class AuthenticationError extends HttpError {
  /** Always `"AuthenticationError"`. */
  override name = "AuthenticationError";

  /** Creates an authentication error. */
  constructor(message: string, details: HttpErrorDetails) {
    super(message, { ...details, retryable: false, fatal: true }, "authentication");
  }
}

/** Too many requests or tokens for now (429). `retryAfter` says how long to wait, if known. */
export class RateLimitError extends HttpError {
  /** Always `"RateLimitError"`. */
  override name = "RateLimitError";
  /** Whether too many requests were in flight, which waiting alone does not fix. */
  readonly concurrent: boolean;

  /** Creates a rate-limit error. */
  constructor(message: string, details: HttpErrorDetails & { concurrent?: boolean }) {
    super(message, { ...details, retryable: true }, "rate_limit");
    this.concurrent = details.concurrent ?? false;
  }
}

/** The account's quota or credit is used up (402, some 429). Waiting a little does not help. */
export class QuotaExceededError extends HttpError {
  /** Always `"QuotaExceededError"`. */
  override name = "QuotaExceededError";

  /** Creates a quota error. */
  constructor(message: string, details: HttpErrorDetails) {
    super(message, { ...details, retryable: false, fatal: true }, "quota_exceeded");
  }
}

/** The next request could exceed the budget. It was not sent. */
export class BudgetExceededError extends FlexLLMError {
  /** Always `"BudgetExceededError"`. */
  override name = "BudgetExceededError";
  /** The budget in USD. */
  readonly limit: number;
  /** The amount spent so far, in USD. */
  readonly spent: number;
  /** The maximum cost of the request, in USD. */
  readonly needed: number;

  /** Creates an error for a request that could cost `needed` USD after `spent` of `limit`. */
  constructor(limit: number, spent: number, needed: number, details?: ErrorDetails) {
    const [l, s, n] = [limit, spent, needed].map((usd) => `$${Number(usd.toPrecision(4))}`);
    super(
      "budget_exceeded",
      `the budget of ${l} does not allow the next request: ${s} spent, and it may cost ${n}`,
      {
        hint:
          "Raise the budget, or lower --max-tokens (maxTokens), which lowers the amount reserved per request.",
        ...details,
        fatal: true,
      },
    );
    this.limit = limit;
    this.spent = spent;
    this.needed = needed;
  }
}

/**
 * No endpoint became available within `maxWait`, or the server announced a longer wait than that.
 */
export class UnavailableError extends FlexLLMError {
  /** Always `"UnavailableError"`. */
  override name = "UnavailableError";

  /** Creates an unavailability error. */
  constructor(message: string, details?: ErrorDetails) {
    super("unavailable", message, { ...details, fatal: true });
  }
}

/** The provider blocked this prompt, and would block it again. */
export class ContentBlockedError extends FlexLLMError {
  /** Always `"ContentBlockedError"`. */
  override name = "ContentBlockedError";
  /** The provider's own reason, e.g. `SAFETY`. */
  readonly reason: string;

  /** Creates an error for a prompt that was blocked for `reason`. */
  constructor(message: string, reason: string, details?: ErrorDetails) {
    super("content_blocked", message, details);
    this.reason = reason;
  }
}

/** Details of an unreadable answer. */
export interface MalformedResponseDetails extends ErrorDetails {
  /**
   * Whether a retry may help: for a truncated body it may, for a web page not.
   *
   * @default false
   */
  retryable?: boolean;
}

/** The server responded with something that is not a completion: a web page, a truncated body, no JSON. */
export class MalformedResponseError extends FlexLLMError {
  /** Always `"MalformedResponseError"`. */
  override name = "MalformedResponseError";

  /** Creates an error for an unreadable answer. */
  constructor(message: string, details: MalformedResponseDetails = {}) {
    super("malformed_response", message, details);
  }
}

/**
 * The store of the response cache cannot be used: it is damaged, locked, full, not writable or not a
 * cache. Completions continue without the cache; only operations on the cache itself throw this error.
 */
export class CacheError extends FlexLLMError {
  /** Always `"CacheError"`. */
  override name = "CacheError";

  /** Creates a cache error. */
  constructor(message: string, details?: ErrorDetails) {
    super("cache", message, details);
  }
}

/** The result file cannot be used: it is locked, not writable, or not a result file. */
export class JournalError extends FlexLLMError {
  /** Always `"JournalError"`. */
  override name = "JournalError";

  /** Creates a journal error. */
  constructor(message: string, details?: ErrorDetails, code: ErrorCode = "journal") {
    super(code, message, details);
  }
}

/** The result file was written for different input: the record at `index` differs. */
export class JournalMismatchError extends JournalError {
  /** Always `"JournalMismatchError"`. */
  override name = "JournalMismatchError";
  /** The first record whose input differs, counted from 0. */
  readonly index: number;

  /** Creates a mismatch error for the record `index`. */
  constructor(message: string, index: number, details?: ErrorDetails) {
    super(message, details, "journal_mismatch");
    this.index = index;
  }
}
