/**
 * The errors that this library throws. All are {@link FlexLLMError}s with a stable `code`: branch on the
 * class or on the code, never on the message.
 *
 * @module
 */
import { type ErrorCode, type ErrorDetails, FlexLLMError } from "./flexllm_error.ts";

export {
  copyError,
  type ErrorCode,
  type ErrorDetails,
  FlexLLMError,
  type PartialCompletion,
} from "./flexllm_error.ts";
export {
  AuthenticationError,
  HttpError,
  type HttpErrorDetails,
  QuotaExceededError,
  RateLimitError,
} from "./http_errors.ts";

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
  /** Seconds until the first endpoint is tried again, if known. */
  readonly retryAfter: number | undefined;

  /** Creates an unavailability error. */
  constructor(message: string, details: ErrorDetails & { retryAfter?: number } = {}) {
    super("unavailable", message, { ...details, fatal: true });
    this.retryAfter = details.retryAfter;
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
