/**
 * Why a Gemini answer ended: as a result, as a filtered result, or as a failure.
 *
 * Sources: `FinishReason` and `BlockedReason` in the types of `@google/genai`; the Gemini API reference,
 * "FinishReason" (`MISSING_THOUGHT_SIGNATURE`). That an invalid call is worth another attempt is how
 * Google's own gemini-cli treats it ("Improve MALFORMED_FUNCTION_CALL handling").
 *
 * @module
 */
import type { FinishReason } from "../../chat/result.ts";
import { ContentBlockedError, HttpError, type PartialCompletion } from "../../errors.ts";
import { asObject, asText, type Json } from "../../json/json.ts";

/** A filter withheld the answer, or the rest of it. */
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
 * The reasons whose numbers are the same in the Gemini API and in Vertex AI; up to the last one, where they
 * differ, both are filters.
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
 * The reason in `candidate`, if any. Google's clients for Go and Python have numbers sent instead of names
 * (`$alt=json;enum-encoding=int`), which gateways pass on.
 */
export function reasonOf({ finishReason: reason }: Json): string | undefined {
  return typeof reason === "number" ? NUMBERS[reason] : asText(reason);
}

/** Maps the reason why a candidate ended; Gemini has none for tool calls. */
export function finishReason(reason: string | undefined, hasToolCalls: boolean): FinishReason {
  if (reason !== undefined && FILTERED.has(reason)) return "content_filter";
  // CONTINUATION: the answer is longer than one response may be.
  if (reason === "MAX_TOKENS" || reason === "CONTINUATION") return "length";
  // aimock says FUNCTION_CALL, Google STOP.
  if (hasToolCalls) return "tool_calls";
  return reason === "STOP" ? "stop" : "other";
}

/** Whether `reason` says that the candidate ended: protobuf's default value does not. */
export function isFinished(reason: string | undefined): reason is string {
  return reason !== undefined && reason !== "FINISH_REASON_UNSPECIFIED";
}

/** Reasons that make an answer useless, regardless of its content. */
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
    hint: "Offer fewer tools, or ask for less in one request.",
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
 * @param partial called for what did arrive
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
 * @throws {ContentBlockedError} with the tokens that were counted
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
