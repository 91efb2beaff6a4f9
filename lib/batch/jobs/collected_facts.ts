/**
 * Makes the facts of a record that was collected from a job of a provider's batch API.
 *
 * @module
 */
import type { CallFacts } from "../../chat/call_facts.ts";
import type { ChatResult } from "../../chat/result.ts";
import { SchemaMismatchError } from "../../chat/schema_mismatch_error.ts";
import { FlexLLMError } from "../../errors.ts";

/** What is known apart from the outcome of the record. */
export type CollectedHead = Pick<CallFacts, "index" | "at" | "model" | "endpoint">;

/** The facts. They have no id and no duration: the time that a job takes says nothing about one of its rows. */
export function collectedFacts(
  head: CollectedHead,
  ending: { result: ChatResult } | { error: unknown },
): CallFacts {
  const facts = { ...head, queued: 0, attempts: 1, duration: 0, cached: false };
  if ("result" in ending) {
    const { usage, cost } = ending.result;
    return { ...facts, usage, cost, outcome: "success" };
  }
  const { error } = ending;
  const { usage = null, cost = null } =
    (error instanceof SchemaMismatchError ? error.result : undefined) ??
      (error instanceof FlexLLMError ? error.partial : undefined) ?? {};
  return {
    ...facts,
    usage,
    cost,
    outcome: "error",
    errorCode: error instanceof FlexLLMError ? error.code : "internal",
    error: error instanceof Error ? error.message : String(error),
  };
}
