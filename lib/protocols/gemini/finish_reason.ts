/**
 * Maps Gemini's finish reasons: to ours, or to an error.
 *
 * Sources: `FinishReason` and `BlockedReason` in the types of `@google/genai`; the Gemini API reference,
 * "FinishReason" (`MISSING_THOUGHT_SIGNATURE`). Google's own gemini-cli also retries invalid calls ("Improve
 * MALFORMED_FUNCTION_CALL handling").
 *
 * @module
 */
import type { FinishReason } from "../../chat/result.ts";
import { ContentBlockedError, HttpError, type PartialCompletion } from "../../errors.ts";
import { asObject, asText, type Json } from "../../json/json.ts";

/** Reasons with which a filter withheld the answer or the rest of it. */
const FILTERED: ReadonlySet<string> = new Set([
  "SAFETY",
  "RECITATION",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "LANGUAGE",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
  "IMAGE_RECITATION",
  // Vertex AI only.
  "MODEL_ARMOR",
  "JAILBREAK",
  "ESCALATION",
]);

/**
 * Reasons by number, as far as the Gemini API and Vertex AI agree. Where they first differ, at the last one,
 * both are filters.
 */
const NUMBERS = [
  "FINISH_REASON_UNSPECIFIED",
  "STOP",
  "MAX_TOKENS",
  "SAFETY",
  "RECITATION",
  "OTHER",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
];

/**
 * The reason in `candidate`, if any. Google's Go and Python clients request numbers instead of names
 * (`$alt=json;enum-encoding=int`), and gateways pass these on.
 */
export function reasonOf({ finishReason: reason }: Json): string | undefined {
  return typeof reason === "number" ? NUMBERS[reason] : asText(reason);
}

/** Maps a finish reason to ours; Gemini has none for tool calls. */
export function finishReason(reason: string | undefined, hasToolCalls: boolean): FinishReason {
  if (reason !== undefined && FILTERED.has(reason)) return "content_filter";
  // CONTINUATION: the answer exceeds the maximum length of a response.
  if (reason === "MAX_TOKENS" || reason === "CONTINUATION") return "length";
  // Google sends STOP here, aimock FUNCTION_CALL.
  if (hasToolCalls) return "tool_calls";
  return reason === "STOP" ? "stop" : "other";
}

/** Whether `reason` means that the candidate ended; protobuf's default value does not. */
export function isFinished(reason: string | undefined): reason is string {
  return reason !== undefined && reason !== "FINISH_REASON_UNSPECIFIED";
}

/** Reasons that mean a failure, regardless of the content. */
const FAILURES: Readonly<Record<string, { what: string; retryable: boolean; hint?: string }>> = {
  MALFORMED_FUNCTION_CALL: { what: "the model wrote an invalid function call", retryable: true },
  MALFORMED_RESPONSE: { what: "the model's response was malformed", retryable: true },
  UNEXPECTED_TOOL_CALL: {
    what: "the model called a tool that the request does not offer",
    retryable: true,
  },
  TOO_MANY_TOOL_CALLS: {
    what: "the model called too many tools in a row",
    retryable: false,
    hint: "Offer fewer tools, or split the task into several requests.",
  },
  MISSING_THOUGHT_SIGNATURE: {
    what: "a function call in the request lacks its thought signature",
    retryable: false,
    hint: "Send back the assistant messages of earlier results unchanged.",
  },
};

/** Reasons that mean a failure only if nothing was generated. */
const EMPTY_FAILURES: ReadonlySet<string> = new Set(["OTHER", "NO_IMAGE", "IMAGE_OTHER"]);

/**
 * Throws if the candidate ended with a failure.
 *
 * @param isEmpty whether nothing was generated
 * @param partial returns what did arrive
 * @throws {HttpError} retryable if the model may do better in another attempt
 */
export function checkFailure(
  candidate: Json,
  isEmpty: boolean,
  partial: () => PartialCompletion,
): void {
  const reason = reasonOf(candidate) ?? "";
  const failure = Object.hasOwn(FAILURES, reason)
    ? FAILURES[reason]
    : isEmpty && EMPTY_FAILURES.has(reason)
    ? { what: "the model stopped without an answer", retryable: true }
    : undefined;
  if (failure === undefined) return;
  const providerMessage = asText(candidate.finishMessage);
  const said = providerMessage === undefined ? "" : `: ${providerMessage}`;
  throw new HttpError(`${failure.what} (${reason})${said}`, {
    status: 200,
    providerCode: reason,
    providerMessage,
    retryable: failure.retryable,
    hint: failure.hint,
    partial: partial(),
  });
}

/**
 * Throws if the prompt was blocked.
 *
 * @throws {ContentBlockedError} with the counted tokens
 */
export function checkBlocked(answer: Json, partial: () => PartialCompletion): void {
  const feedback = asObject(answer.promptFeedback);
  const reason = asText(feedback?.blockReason);
  if (reason === undefined || reason.endsWith("_UNSPECIFIED")) return;
  const said = asText(feedback?.blockReasonMessage);
  throw new ContentBlockedError(
    `the prompt was blocked by the provider (${reason})${said === undefined ? "" : `: ${said}`}`,
    reason,
    { hint: "Change the prompt, or the safety settings of the service.", partial: partial() },
  );
}
