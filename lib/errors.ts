/**
 * Every error this library throws. All are {@link FlexLLMError}s with a stable `code`; branch on the
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

/** What had arrived of an answer before it was cancelled or failed. */
export interface PartialCompletion {
  /** The text received so far, possibly empty. */
  content: string;
  /** The thinking text received so far, or `null`. */
  thinking: string | null;
  /** The tokens that the server counted before the answer broke off, where it did. */
  usage?: Usage | null;
  /** What they cost in USD; `null` when the price is not known. */
  cost?: number | null;
}

/** What every error may carry beside its message. */
export interface ErrorDetails {
  /** The underlying error, where there is one. */
  cause?: unknown;
  /** What the user can do next, one sentence. */
  hint?: string;
  /** What had arrived of the answer. */
  partial?: PartialCompletion;
}

/** What every error knows of the next try. */
interface RetryDetails {
  /** Default `false`. */
  retryable?: boolean;
  /** Default `false`. */
  fatal?: boolean;
}

/** The base class of all errors thrown by flexllm. */
export class FlexLLMError extends Error {
  /** The name of the class. */
  override name = "FlexLLMError";
  /** The stable kind of this error. */
  readonly code: ErrorCode;
  /** What to do next, one sentence; `undefined` when the message says it all. */
  readonly hint: string | undefined;
  /** Whether the same request can succeed when it is sent again later. */
  readonly retryable: boolean;
  /** Whether every further request to this endpoint would fail the same way. */
  readonly fatal: boolean;
  /** What had arrived of the answer before this error ended it. */
  partial?: PartialCompletion;

  /** Makes an error of the kind `code`. */
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
  /** The name of the class. */
  override name = "ConfigurationError";

  /** Makes a configuration error. */
  constructor(message: string, details?: ErrorDetails) {
    super("configuration", message, details);
  }
}

/** An input record or a message is unreadable or not of a known form. Nothing was sent for it. */
export class InvalidInputError extends FlexLLMError {
  /** The name of the class. */
  override name = "InvalidInputError";

  /** Makes an input error. */
  constructor(message: string, details?: ErrorDetails) {
    super("invalid_input", message, details);
  }
}

/** A bug in flexllm that one record of a batch triggers. The other records continue. */
export class InternalError extends FlexLLMError {
  /** The name of the class. */
  override name = "InternalError";

  /** Makes an error for the unexpected `cause`. */
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("internal", `unexpected: ${reason} (this is a bug in flexllm)`, {
      cause,
      hint: "Please report it, with the record: https://github.com/flexllm/flexllm/issues",
    });
  }
}

/** The call was cancelled by its `AbortSignal`, by closing the client or by leaving a stream. */
export class AbortedError extends FlexLLMError {
  /** The name of the class. */
  override name = "AbortedError";

  /** Makes an abort error. */
  constructor(message = "the request was cancelled", details?: ErrorDetails) {
    super("aborted", message, details);
  }
}

/** The error of what `signal` ended; its cause is the signal's reason. */
export function abortedBy(signal: AbortSignal | undefined): AbortedError {
  const reason: unknown = signal?.reason;
  return reason instanceof AbortedError ? reason : new AbortedError(undefined, { cause: reason });
}

/**
 * A copy of `error` with `changes`. Several callers may share an error, so errors are never modified.
 */
export function copyError<T extends FlexLLMError>(error: T, changes: Partial<T>): T {
  const copy = Object.create(
    Object.getPrototypeOf(error),
    Object.getOwnPropertyDescriptors(error),
  );
  return Object.assign(copy, changes);
}

/** What is known of a connection that failed. */
export interface ConnectionErrorDetails extends ErrorDetails {
  /** Whether the request may have reached the server; default `true`. */
  sent?: boolean;
}

/** The server could not be reached, or the connection broke before the answer was complete. */
export class ConnectionError extends FlexLLMError {
  /** The name of the class. */
  override name = "ConnectionError";
  /** Whether the request may have reached the server, which may then bill it. */
  readonly sent: boolean;

  /** Makes a connection error. */
  constructor(message: string, details: ConnectionErrorDetails = {}) {
    super("connection", message, { ...details, retryable: true });
    this.sent = details.sent ?? true;
  }
}

/** The answer, the first event of a stream, or the next one, took longer than allowed. */
export class TimeoutError extends FlexLLMError {
  /** The name of the class. */
  override name = "TimeoutError";
  /** The limit that was passed, in seconds. */
  readonly timeout: number;

  /** Makes a timeout error for a limit of `timeout` seconds. */
  constructor(message: string, timeout: number, details?: ErrorDetails) {
    super("timeout", message, { ...details, retryable: true });
    this.timeout = timeout;
  }
}

/** What is known of an error answer of a server. */
export interface HttpErrorDetails extends ErrorDetails {
  /** HTTP status; 200 when an error object came in a successful answer. */
  status: number;
  /** The provider's own message, with any API key removed. */
  providerMessage?: string;
  /** The provider's own error code or type, e.g. `context_length_exceeded`. */
  providerCode?: string;
  /** The provider's id of the request, for its support. */
  requestId?: string;
  /** Seconds to wait before the next try, as the server asked. */
  retryAfter?: number;
  /** What the server says of another try; decided by the status when absent. */
  retryable?: boolean;
  /** Whether the server is up and still loading the model. Default `false`. */
  loading?: boolean;
}

/** Statuses that say "the same request may succeed later". */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 409, 425, 429]);

function isRetryableStatus(status: number): boolean {
  return status >= 500 || RETRYABLE_STATUSES.has(status);
}

/** The server answered with an error. */
export class HttpError extends FlexLLMError {
  /** The name of the class. */
  override name = "HttpError";
  /** HTTP status; 200 when an error object came in a successful answer. */
  readonly status: number;
  /** The provider's own message, with any API key removed. */
  readonly providerMessage: string | undefined;
  /** The provider's own error code or type. */
  readonly providerCode: string | undefined;
  /** The provider's id of the request. */
  readonly requestId: string | undefined;
  /** Seconds to wait before the next try, as the server asked; `undefined` when it did not. */
  readonly retryAfter: number | undefined;
  /** Whether the server is up and still loading the model: it will answer once that is done. */
  readonly loading: boolean;

  /** Makes an error for an answer of the server. */
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

/** The server refused the API key (401, 403). */
export class AuthenticationError extends HttpError {
  /** The name of the class. */
  override name = "AuthenticationError";

  /** Makes an authentication error. */
  constructor(message: string, details: HttpErrorDetails) {
    super(message, { ...details, retryable: false, fatal: true }, "authentication");
  }
}

/** Too many requests or tokens for now (429); `retryAfter` says how long to wait, where known. */
export class RateLimitError extends HttpError {
  /** The name of the class. */
  override name = "RateLimitError";
  /** Whether too many requests were in flight, which waiting alone does not cure. */
  readonly concurrent: boolean;

  /** Makes a rate-limit error. */
  constructor(message: string, details: HttpErrorDetails & { concurrent?: boolean }) {
    super(message, { ...details, retryable: true }, "rate_limit");
    this.concurrent = details.concurrent ?? false;
  }
}

/** The account's quota or credit is used up (402, some 429): waiting a little does not help. */
export class QuotaExceededError extends HttpError {
  /** The name of the class. */
  override name = "QuotaExceededError";

  /** Makes a quota error. */
  constructor(message: string, details: HttpErrorDetails) {
    super(message, { ...details, retryable: false, fatal: true }, "quota_exceeded");
  }
}

/** The next request could cost more than is left of the budget. Nothing was sent for it. */
export class BudgetExceededError extends FlexLLMError {
  /** The name of the class. */
  override name = "BudgetExceededError";
  /** The budget in USD. */
  readonly limit: number;
  /** What has been spent, in USD. */
  readonly spent: number;
  /** What the request could have cost, in USD. */
  readonly needed: number;

  /** Makes an error for a request that could cost `needed` USD after `spent` of `limit`. */
  constructor(limit: number, spent: number, needed: number, details?: ErrorDetails) {
    const [l, s, n] = [limit, spent, needed].map((usd) => `$${Number(usd.toPrecision(4))}`);
    super(
      "budget_exceeded",
      `the budget of ${l} does not allow the next request: ${s} spent, and it may cost ${n}`,
      {
        hint:
          "Raise the budget, or allow answers fewer tokens (--max-tokens, maxTokens): the less they " +
          "may have, the less is set aside for them.",
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
 * The endpoint has not answered for longer than a call may wait (`maxWait`), or says that it will not
 * for longer than that.
 */
export class UnavailableError extends FlexLLMError {
  /** The name of the class. */
  override name = "UnavailableError";

  /** Makes an error for an endpoint that stays away. */
  constructor(message: string, details?: ErrorDetails) {
    super("unavailable", message, { ...details, fatal: true });
  }
}

/** The provider refused to answer this prompt. The same prompt would be refused again. */
export class ContentBlockedError extends FlexLLMError {
  /** The name of the class. */
  override name = "ContentBlockedError";
  /** The provider's own word for why, e.g. `SAFETY`. */
  readonly reason: string;

  /** Makes an error for a prompt that was blocked for `reason`. */
  constructor(message: string, reason: string, details?: ErrorDetails) {
    super("content_blocked", message, details);
    this.reason = reason;
  }
}

/** What is known of an unreadable answer. */
export interface MalformedResponseDetails extends ErrorDetails {
  /** Whether another try can help (a cut or empty body), or not (a web page). */
  retryable?: boolean;
}

/** The server answered 200 with something that is not a completion: a web page, half a body, no JSON. */
export class MalformedResponseError extends FlexLLMError {
  /** The name of the class. */
  override name = "MalformedResponseError";

  /** Makes an error for an unreadable answer. */
  constructor(message: string, details: MalformedResponseDetails = {}) {
    super("malformed_response", message, details);
  }
}

/**
 * The store of the response cache cannot be used: damaged, locked, full, not writable, or not a cache.
 * Completions never fail for it; only work on the cache itself throws it.
 */
export class CacheError extends FlexLLMError {
  /** The name of the class. */
  override name = "CacheError";

  /** Makes a cache error. */
  constructor(message: string, details?: ErrorDetails) {
    super("cache", message, details);
  }
}

/** The output file cannot be used as a journal: locked, unwritable, or not a result file. */
export class JournalError extends FlexLLMError {
  /** The name of the class. */
  override name = "JournalError";

  /** Makes a journal error. */
  constructor(message: string, details?: ErrorDetails, code: ErrorCode = "journal") {
    super(code, message, details);
  }
}

/** The output file was made from another input: the record at `index` differs. */
export class JournalMismatchError extends JournalError {
  /** The name of the class. */
  override name = "JournalMismatchError";
  /** The first record whose input differs, counted from 0. */
  readonly index: number;

  /** Makes a mismatch error for the record `index`. */
  constructor(message: string, index: number, details?: ErrorDetails) {
    super(message, details, "journal_mismatch");
    this.index = index;
  }
}
