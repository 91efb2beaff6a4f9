/**
 * Converts error responses to errors. Pure.
 *
 * This is the only place that decides which error a response is, and whether the same request can succeed
 * later. What the codes of each service mean is data in error_codes.ts.
 *
 * Sources: OpenAI's error code guide; the retry rules of the `openai` package (`x-should-retry`,
 * `retry-after-ms`, `retry-after`); OpenRouter's "Errors" page (402 with `Retry-After`); Groq, "Structured
 * Outputs" (`json_validate_failed`) and "Tool Use" (`tool_use_failed`).
 *
 * @module
 */
import {
  AuthenticationError,
  ContentBlockedError,
  type FlexLLMError,
  HttpError,
  type HttpErrorDetails,
  MalformedResponseError,
  type PartialCompletion,
  QuotaExceededError,
  RateLimitError,
} from "../errors.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { safeUrl } from "../redact.ts";
import { errorKind, isLoading } from "./error_codes.ts";
import type { Endpoint, ProviderError } from "./protocol.ts";
import { parseDate, serverTime } from "./rate_limit_headers.ts";

/**
 * The wait that the server requests, in seconds, from `retry-after-ms` or `retry-after` (seconds or an HTTP
 * date); `undefined` if it requests none.
 */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const milliseconds = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (milliseconds >= 0) return milliseconds / 1000;
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  // A header that was sent twice arrives as a list.
  const [seconds] = value.split(",");
  if (/^\s*\d+(\.\d+)?\s*$/.test(seconds)) return Number(seconds);
  const date = parseDate(value);
  const now = serverTime(headers, Date.now());
  return date === undefined ? undefined : Math.max(0, (date - now) / 1000);
}

function requestId(headers: Headers): string | undefined {
  return headers.get("x-request-id") ?? headers.get("request-id") ?? undefined;
}

function keyHint(endpoint: Endpoint | undefined): string {
  const variable = endpoint?.keyVariable ?? "FLEXLLM_API_KEY";
  // A stored key is sent only to its service, or where the configuration refers to it.
  const orStore = endpoint?.keyVariable === undefined ? "" : ", run `flexllm keys set`";
  return endpoint !== undefined && endpoint.apiKey === undefined
    ? `No key was sent: set ${variable}${orStore}, or add api_key to the configuration.`
    : `Check the API key (${variable}, --api-key, or api_key in the configuration).`;
}

/** What services say about a model that they do not have. */
const MODEL_MISSING = /\bmodels?\b|deployment/i;

function hintOf(status: number, endpoint?: Endpoint, message = ""): string | undefined {
  switch (status) {
    case 401:
      return keyHint(endpoint);
    case 403:
      return endpoint !== undefined && endpoint.apiKey === undefined
        ? keyHint(endpoint)
        : "Check the API key, and that it has access to this model.";
    case 402:
      return "Top up the account, or use another model.";
    case 404:
      return MODEL_MISSING.test(message)
        ? "Check the model's name; `flexllm models` lists the models of the server."
        : "Check the base URL, which usually ends in /v1, and the model's name (see `flexllm models`).";
    case 429:
      return "Try again later, or allow a longer --max-wait.";
    case 400:
    case 422:
      return "Fix what the server rejected; retrying the same request won't help.";
    default:
      return status >= 500 ? "The service is having problems; try again later." : undefined;
  }
}

const BLOCKED_HINT = "Change the prompt, or the content filter of the service.";

const INTERRUPTED_HINT =
  "The server, or a proxy in between, interrupted the answer; try again later.";

function waitHint(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : `The server asked to wait ${Math.ceil(seconds)} s.`;
}

/** Makes a server's text fit for a terminal: one line, no control characters, at most 500 characters. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\x00-\x1f\x7f-\x9f\s]+/g, " ").trim();
  return line.length > 500 ? `${line.slice(0, 497)}...` : line;
}

function redirectError(status: number, headers: Headers): FlexLLMError {
  const location = headers.get("location");
  // The query may repeat secrets that were sent.
  const target = location === null ? null : oneLine(safeUrl(location));
  return new HttpError(`the server answered ${status} and redirects to ${target ?? "nowhere"}`, {
    status,
    fatal: true,
    hint: "flexllm doesn't follow redirects; if that is the right server, use it as the base URL.",
  });
}

/** The decoded parts of an error response. */
interface Received {
  details: HttpErrorDetails;
  error: ProviderError | undefined;
  endpoint: Endpoint | undefined;
}

/** The error for an answer that the server rejected after the model had written it. */
function rejectedAnswer(
  message: string,
  { details, error }: Received,
): FlexLLMError | undefined {
  const content = error?.failedGeneration;
  if (error?.code === "json_validate_failed") {
    return new SchemaMismatchError(message, content ?? "", [error.message ?? message], {
      partial: details.partial,
    });
  }
  if (error?.code !== "tool_use_failed") return undefined;
  const partial = details.partial ?? { content: content ?? "", thinking: null };
  return new HttpError(message, { ...details, partial, retryable: true });
}

function makeError(message: string, received: Received): FlexLLMError {
  const rejected = rejectedAnswer(message, received);
  if (rejected !== undefined) return rejected;
  const { details, error, endpoint } = received;
  const { status } = details;
  // OpenRouter: requests in flight have reserved the remaining credit.
  if (status === 402 && details.retryAfter !== undefined) {
    return new RateLimitError(message, details);
  }
  const kind = error?.quota ? "quota" : errorKind({
    ...error,
    status,
    rateLimitCodes: endpoint?.service?.rateLimitCodes,
    message: details.providerMessage,
  });
  switch (kind) {
    case "quota":
      return new QuotaExceededError(message, { ...details, hint: hintOf(402) });
    case "blocked": {
      const reason = error?.code ?? error?.type ?? String(status);
      return new ContentBlockedError(message, reason, { ...details, hint: BLOCKED_HINT });
    }
    case "auth":
      return new AuthenticationError(message, { ...details, hint: hintOf(401, endpoint) });
    case "rate":
    case "concurrent":
      return new RateLimitError(message, { ...details, concurrent: kind === "concurrent" });
  }
  if (status === 401 || status === 403) return new AuthenticationError(message, details);
  if (status === 402) return new QuotaExceededError(message, details);
  if (status === 429) return new RateLimitError(message, details);
  const loading = isLoading(status, details.providerMessage);
  return new HttpError(message, { ...details, loading });
}

/** The beginning of a body that is not JSON, without markup, for an error message. */
function excerptOf(body: string): string {
  const line = oneLine(
    body.replace(/<(script|style)[\s\S]*?<\/\1>/gi, "").replace(/<[^>]*>/g, " "),
  );
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

/** The error for a response whose status is not a success. */
export function statusError(
  status: number,
  headers: Headers,
  body: string,
  error: ProviderError | undefined,
  endpoint?: Endpoint,
): FlexLLMError {
  if (status >= 300 && status < 400) return redirectError(status, headers);
  const message = oneLine(error?.message ?? excerptOf(body));
  const shouldRetry = headers.get("x-should-retry");
  const errorStatus = error?.status ?? status;
  const retryAfter = retryAfterSeconds(headers) ?? error?.retryAfter;
  const details = {
    status: errorStatus,
    hint: waitHint(retryAfter) ?? hintOf(errorStatus, endpoint, message),
    providerMessage: message || undefined,
    providerCode: error?.code,
    requestId: requestId(headers),
    retryAfter,
    retryable: shouldRetry === null ? undefined : shouldRetry === "true",
  };
  const text = `the server answered ${status}${message ? `: ${message}` : ""}`;
  return makeError(text, { details, error, endpoint });
}

/** Types and codes of error objects inside a 200 response for which a retry may succeed. */
const TRANSIENT = /overloaded|unavailable|server_error|rate_limit|timeout|internal/i;

/** The error for an error object inside a 200 response or a stream. */
export function embeddedError(
  error: ProviderError,
  id?: string,
  partial?: PartialCompletion,
  endpoint?: Endpoint,
): FlexLLMError {
  const message = oneLine(error.message ?? error.code ?? "unknown");
  const status = error.status ?? 200;
  const details = {
    status,
    hint: hintOf(status, endpoint, message),
    providerMessage: error.message,
    providerCode: error.code,
    requestId: id,
    partial,
    retryAfter: error.retryAfter,
    retryable: error.status === undefined
      ? TRANSIENT.test(`${error.code} ${error.type} ${error.message}`)
      : undefined,
  };
  return makeError(`the server reported an error: ${message}`, { details, error, endpoint });
}

/** The error for a successful response whose body is not JSON. */
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
      hint: INTERRUPTED_HINT,
    });
  }
  const type = headers.get("content-type") ?? "";
  if (type.includes("html") || text.startsWith("<")) {
    return new MalformedResponseError(
      `the server answered with a web page instead of JSON ("${excerptOf(text)}")`,
      { cause, hint: "Check the base URL; it usually ends in /v1." },
    );
  }
  return new MalformedResponseError(
    `the server's answer is not valid JSON ("${excerptOf(text)}", ${text.length} characters)`,
    { cause, retryable: true, hint: INTERRUPTED_HINT },
  );
}
