/**
 * Describes how a request to the gateway failed.
 *
 * @module
 */
import { AbortedError, FlexLLMError } from "../errors.ts";
import { redact } from "../redact.ts";
import type { GatewayFacts } from "./gateway_facts.ts";

/** The facts about the error that ended a request; its message without `secrets`. */
export function failureFacts(
  error: unknown,
  secrets: readonly string[] = [],
): Pick<GatewayFacts, "outcome" | "errorCode" | "error"> {
  return {
    outcome: error instanceof AbortedError ? "aborted" : "error",
    errorCode: error instanceof FlexLLMError ? error.code : "internal",
    error: redact(error instanceof Error ? error.message : String(error), ...secrets),
  };
}
