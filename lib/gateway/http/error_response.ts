/**
 * Encodes errors in the format of the client.
 *
 * @module
 */
import {
  AuthenticationError,
  BudgetExceededError,
  ConnectionError,
  FlexLLMError,
  HttpError,
  MalformedResponseError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
} from "../../errors.ts";
import { SERVER_SENT_EVENTS } from "../../protocols/event_framing.ts";
import type { ProtocolServer, ServerError, ServerEvent } from "../../protocols/serve.ts";
import type { GatewayCall } from "../gateway_call.ts";
import { GatewayError } from "../gateway_error.ts";

/** nginx's status for a client that left. It only appears in logs. */
const CLIENT_CLOSED = 499;

/** Seconds to wait where no better time is known. */
const USUAL_WAIT = 5;

/** The message and what to do about it. */
function textOf({ message, hint }: { message: string; hint?: string }): string {
  const sentence = /[.!?…)]$/.test(message) ? message : `${message}.`;
  return hint === undefined ? message : `${sentence} ${hint}`;
}

/** Statuses of a provider that are about the client's own request. */
const PASSED_ON: ReadonlySet<number> = new Set([400, 404, 408, 409, 413, 415, 422, 429]);

/** What a client may know of a problem with the provider's account, which only the operator can solve. */
function accountError(problem: string): ServerError {
  return {
    status: 502,
    message: `The provider ${problem}. ` +
      "This is not about your own key: the operator of the gateway has to check the provider's account.",
    code: "upstream_account",
  };
}

/** What a client may know of a broken connection: where the endpoint is, is the operator's business. */
function withoutAddress(message: string): string {
  if (message.startsWith("the request failed")) return "the request failed";
  return message.replace(/ \([a-z]+:\/\/[^)]*\)/g, "");
}

function upstreamError(error: HttpError): ServerError {
  const { providerMessage, providerCode, retryAfter } = error;
  if (error instanceof AuthenticationError || error.status === 401 || error.status === 403) {
    return accountError("rejected the gateway's API key");
  }
  if (error.code === "quota_exceeded" || error.status === 402) {
    return accountError("reports that the gateway's quota or credit is used up");
  }
  const isRedirect = error.status >= 300 && error.status < 400;
  const message = isRedirect
    ? "the provider redirects to another address, which the gateway does not follow"
    : providerMessage ?? error.message;
  const isKnown = PASSED_ON.has(error.status) || error.status >= 500;
  // A provider can send an error with a successful status.
  const status = isKnown ? error.status : error.status >= 400 ? 400 : 502;
  return { status, message, code: providerCode, retryAfter };
}

/** Endpoints that rest after a rate limit answer as their provider did; those that are down, with 503. */
function unavailableError({ cause, retryAfter = USUAL_WAIT }: UnavailableError): ServerError {
  if (cause instanceof RateLimitError) {
    return {
      status: 429,
      message: "the provider's rate limit for this model is exceeded; try again later",
      code: "upstream_rate_limited",
      retryAfter,
    };
  }
  return {
    status: 503,
    message: "no endpoint for this model is available at the moment; try again later",
    code: "no_endpoint_available",
    retryAfter,
  };
}

/**
 * The error to report to a client. Problems of the gateway's own provider keys and accounts are not reported as
 * problems of the client's key: only the operator can solve them.
 */
export function serverError(error: unknown): ServerError {
  if (error instanceof GatewayError) {
    const { status, reason, param, retryAfter } = error;
    return { status, message: textOf(error), code: reason, param, retryAfter };
  }
  if (error instanceof UnavailableError) return unavailableError(error);
  if (error instanceof HttpError) return upstreamError(error);
  if (error instanceof BudgetExceededError) {
    return { status: 402, message: error.message, code: "budget_exceeded" };
  }
  if (error instanceof TimeoutError) {
    return { status: 504, message: error.message, code: "upstream_timeout" };
  }
  if (error instanceof ConnectionError) {
    return {
      status: 502,
      message: `the provider failed: ${withoutAddress(error.message)}`,
      code: "upstream_unreachable",
    };
  }
  if (error instanceof MalformedResponseError) {
    return { status: 502, message: error.message, code: "upstream_malformed_response" };
  }
  if (!(error instanceof FlexLLMError)) {
    // Unexpected, so nothing is known about what its message may contain.
    return { status: 500, message: "internal error of the gateway", code: "internal_error" };
  }
  switch (error.code) {
    case "aborted":
      return { status: CLIENT_CLOSED, message: error.message, code: "client_closed" };
    case "content_blocked":
      return { status: 400, message: error.message, code: "content_filter" };
    case "invalid_input":
    case "schema_mismatch":
      return { status: 400, message: textOf(error), code: "invalid_request" };
    case "configuration":
      return { status: 400, message: textOf(error), code: "unsupported" };
    default:
      return { status: 500, message: error.message, code: "internal_error" };
  }
}

/**
 * Tells the SDKs of OpenAI and Anthropic that another attempt fails as well. Claude Code tries a rejected key
 * again for minutes without it.
 */
const FINAL = { "x-should-retry": "false" };

/**
 * Answers a request with an error in the format of the client.
 *
 * @param headers further headers of the answer
 */
export function errorResponse(
  server: ProtocolServer,
  error: unknown,
  id: string,
  headers: Record<string, string> = {},
): Response {
  const encoded = server.encodeError(serverError(error), id);
  return new Response(JSON.stringify(encoded.body), {
    status: encoded.status,
    headers: {
      ...headers,
      ...encoded.headers,
      ...encoded.status === 401 ? FINAL : {},
      "content-type": "application/json",
    },
  });
}

/** The event that ends a stream with an error, in place of the end of an answer. */
export function errorEvent(
  { server, id }: Pick<GatewayCall, "server" | "id">,
  error: unknown,
): ServerEvent {
  const failure = serverError(error);
  return server.encodeStreamError?.(failure, id) ??
    { data: JSON.stringify(server.encodeError(failure, id).body) };
}

/** The text of a stream that fails before its first event; only keep-alives may precede it. */
export function failedStreamText(
  call: Pick<GatewayCall, "server" | "id" | "context">,
  error: unknown,
): string {
  const { framing = SERVER_SENT_EVENTS } = call.context;
  return framing.frame(errorEvent(call, error), true) + framing.end;
}
