/**
 * Describes how a call or an attempt failed.
 *
 * @module
 */
import type { CallFacts } from "../chat/call_facts.ts";
import { AbortedError, FlexLLMError } from "../errors.ts";
import { redact } from "../redact.ts";

/** The facts about the error that ended a call or an attempt; its message without `secrets`. */
export function failureFacts(
  error: unknown,
  secrets: readonly string[] = [],
): Pick<CallFacts, "outcome" | "errorCode" | "error"> {
  return {
    outcome: error instanceof AbortedError ? "aborted" : "error",
    errorCode: error instanceof FlexLLMError ? error.code : "internal",
    error: redact(error instanceof Error ? error.message : String(error), ...secrets),
  };
}
