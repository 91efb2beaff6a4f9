/**
 * Describes a failure on a span. Servers repeat prompts and answers in their messages, so most are content.
 *
 * @module
 */
import type { SpanStatus } from "@opentelemetry/api";
import type { CallFacts } from "../chat/call_facts.ts";
import type { ErrorCode } from "../errors.ts";
import { contentCapture } from "./content_capture.ts";
import type { GlobalApi } from "./global_api.ts";

/** The value of `SpanStatusCode` for errors. */
const ERROR = 2;

/** The errors whose messages contain nothing that was sent or received. */
const WITHOUT_CONTENT: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>([
  "budget_exceeded",
  "connection",
  "timeout",
]);

/** The status of the span of something that failed; with the message where no content is in it, or may be recorded. */
export function errorStatus(
  api: GlobalApi,
  { errorCode, error }: Pick<CallFacts, "errorCode" | "error"> = {},
): SpanStatus {
  const isShown = WITHOUT_CONTENT.has(errorCode as ErrorCode) || contentCapture(api).onSpans;
  return isShown && error !== undefined ? { code: ERROR, message: error } : { code: ERROR };
}
