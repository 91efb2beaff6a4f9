/**
 * Defines what spans and metrics use of the facts about a finished call.
 *
 * @module
 */
import type { CallFacts } from "../chat/call_facts.ts";

/** The facts about a finished call, of a client or of the gateway. */
export type EndFacts =
  & Pick<CallFacts, "id" | "index" | "endpoint" | "queued" | "attempts" | "firstToken">
  & Pick<CallFacts, "duration" | "usage" | "cost" | "cached" | "outcome" | "errorCode" | "error">
  & {
    /** The requested model. */
    model: string;
    /** Removes keys from a text. */
    redact(text: string): string;
  };
