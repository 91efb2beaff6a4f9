/**
 * The errors for error responses of a server.
 *
 * @module
 */
import {
  type ErrorCode,
  type ErrorDetails,
  FlexLLMError,
  type RetryDetails,
} from "./flexllm_error.ts";

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
