/**
 * From what a server answers to the error that says it: pure, and the only place that decides
 * which answers are worth another try.
 *
 * Sources: OpenAI's error code guide; the retry rules of the `openai` package (`x-should-retry`,
 * `retry-after-ms`, `retry-after`); OpenRouter's "Errors" page (402 with `Retry-After`).
 *
 * @module
 */
import {
  AuthenticationError,
  type FlexLLMError,
  HttpError,
  type HttpErrorDetails,
  MalformedResponseError,
  type PartialCompletion,
  QuotaExceededError,
  RateLimitError,
} from "../errors.ts";
import { safeUrl } from "../redact.ts";
import type { ProviderError } from "./provider.ts";
import { serverTime } from "./rate_limit_headers.ts";

/** Codes of answers (mostly 429) that waiting does not cure. */
const QUOTA_CODES: ReadonlySet<string> = new Set([
  "insufficient_quota",
  "credit_balance_exhausted",
  "organization_spend_limit_exceeded",
  "project_spend_limit_exceeded",
  "organization_usage_limit_exceeded",
]);

/** How servers say that too many requests are in flight at once. */
const CONCURRENCY = /concurren|simultaneous|in[ _-]flight|parallel requests|at the same time/i;

/**
 * Seconds to wait as the server asks, from `retry-after-ms` or `retry-after` (seconds or an HTTP
 * date); `undefined` when it does not ask.
 */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const milliseconds = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (milliseconds >= 0) return milliseconds / 1000;
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Number(value);
  const date = Date.parse(value);
  const now = serverTime(headers, Date.now());
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

function requestId(headers: Headers): string | undefined {
  return headers.get("x-request-id") ?? headers.get("request-id") ?? undefined;
}

function hintOf(status: number): string | undefined {
  switch (status) {
    case 401:
      return "Check the API key (--api-key, FLEXLLM_API_KEY, or api_key in the configuration).";
    case 403:
      return "Check the API key, and whether it may use this model and ask this.";
    case 402:
      return "Top up the account, or use another model.";
    case 404:
      return "Check the model's name and the base URL; it usually ends in /v1.";
    case 400:
    case 422:
      return "Change what the server complains of; it would refuse the same request again.";
    default:
      return status >= 500 ? "The service has trouble; try again later." : undefined;
  }
}

const CUT_HINT = "The server, or a proxy in between, cut the answer; try again later.";

function waitHint(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : `The server asks to wait ${Math.ceil(seconds)} s.`;
}

/** What a server says, fit for a terminal: one line, no control characters, not too long. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\x00-\x1f\x7f-\x9f\s]+/g, " ").trim();
  return line.length > 500 ? `${line.slice(0, 497)}...` : line;
}

function redirectError(status: number, headers: Headers): FlexLLMError {
  const location = headers.get("location");
  // Its query may repeat what was sent.
  const target = location === null ? null : oneLine(safeUrl(location));
  return new HttpError(`the server answered ${status} and points to ${target ?? "nowhere"}`, {
    status,
    fatal: true,
    hint: "flexllm does not follow: give that as the base URL if it is the right server.",
  });
}

function errorOfStatus(
  message: string,
  details: HttpErrorDetails,
  quotaUsedUp = false,
): FlexLLMError {
  const { status, providerCode } = details;
  if (status === 401 || status === 403) return new AuthenticationError(message, details);
  const quota = quotaUsedUp || (providerCode !== undefined && QUOTA_CODES.has(providerCode));
  if (quota || (status === 402 && details.retryAfter === undefined)) {
    return new QuotaExceededError(message, { ...details, hint: hintOf(402) });
  }
  if (status === 429 || status === 402) {
    const concurrent = CONCURRENCY.test(`${providerCode} ${details.providerMessage}`);
    return new RateLimitError(message, { ...details, concurrent });
  }
  return new HttpError(message, details);
}

/** The beginning of a body that is not JSON, without its markup, for an error message. */
function firstLine(body: string): string {
  const line = oneLine(
    body.replace(/<(script|style)[\s\S]*?<\/\1>/gi, "").replace(/<[^>]*>/g, " "),
  );
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

/** The error for an answer whose status is no success. */
export function statusError(
  status: number,
  headers: Headers,
  body: string,
  error: ProviderError | undefined,
): FlexLLMError {
  if (status >= 300 && status < 400) return redirectError(status, headers);
  const said = oneLine(error?.message ?? firstLine(body));
  const shouldRetry = headers.get("x-should-retry");
  const meant = error?.status ?? status;
  const retryAfter = retryAfterSeconds(headers) ?? error?.retryAfter;
  return errorOfStatus(`the server answered ${status}${said ? `: ${said}` : ""}`, {
    status: meant,
    hint: waitHint(retryAfter) ?? hintOf(meant),
    providerMessage: said || undefined,
    providerCode: error?.code,
    requestId: requestId(headers),
    retryAfter,
    retryable: shouldRetry === null ? undefined : shouldRetry === "true",
  }, error?.quota);
}

/** Types and codes of error objects inside a 200 answer that may go away by themselves. */
const TRANSIENT = /overloaded|unavailable|server_error|rate_limit|timeout|internal/i;

/** The error for an error object inside a 200 answer or a stream. */
export function embeddedError(
  error: ProviderError,
  id?: string,
  partial?: PartialCompletion,
): FlexLLMError {
  const said = oneLine(error.message ?? error.code ?? "unknown");
  const message = `the server reported an error: ${said}`;
  const status = error.status ?? 200;
  return errorOfStatus(message, {
    status,
    hint: hintOf(status),
    providerMessage: error.message,
    providerCode: error.code,
    requestId: id,
    partial,
    retryAfter: error.retryAfter,
    retryable: error.status === undefined
      ? TRANSIENT.test(`${error.code} ${error.message}`)
      : undefined,
  }, error.quota);
}

/** The error for a successful answer whose body is not JSON. */
export function notJsonError(
  status: number,
  headers: Headers,
  body: string,
  cause: unknown,
): FlexLLMError {
  const text = body.trim();
  if (text === "") {
    return new MalformedResponseError(`the server answered ${status} with an empty body`, {
      retryable: true,
      hint: CUT_HINT,
    });
  }
  const type = headers.get("content-type") ?? "";
  if (type.includes("html") || text.startsWith("<")) {
    return new MalformedResponseError(
      `the server answered with a web page instead of JSON ("${firstLine(text)}")`,
      { cause, hint: "Check the base URL; it usually ends in /v1." },
    );
  }
  return new MalformedResponseError(
    `the server's answer is not valid JSON ("${firstLine(text)}", ${text.length} characters)`,
    { cause, retryable: true, hint: CUT_HINT },
  );
}
