/**
 * Makes the lines of a log from the facts of calls and attempts. Their fields have the names of the gateway's access
 * log.
 *
 * @module
 */
import type { AttemptFacts, CallContent, CallFacts } from "../chat/call_facts.ts";
import type { LogLevel } from "./log_level.ts";
import { microseconds } from "./microseconds.ts";
import { shortText } from "./short_text.ts";

/** Maximum characters of an error message and of a model name. */
const MAX_ERROR = 400;
const MAX_NAME = 200;
/** Maximum characters of a prompt and of an answer. */
const MAX_CONTENT = 4000;

/** How severe a call is: whether it failed, or needed a retry. */
export function levelOfCall(
  { outcome, attempts }: Pick<CallFacts, "outcome" | "attempts">,
): LogLevel {
  if (outcome === "error") return "error";
  return outcome === "aborted" || attempts > 1 ? "warn" : "info";
}

/** The line of a call, without its content. Times are in seconds; absent fields are unknown or do not apply. */
export function callLine(facts: CallFacts, level: LogLevel) {
  const { at, usage, error, firstToken } = facts;
  return {
    time: new Date(at).toISOString(),
    level,
    event: "call",
    id: facts.id,
    index: facts.index,
    model: shortText(facts.model, MAX_NAME),
    endpoint: facts.endpoint,
    outcome: facts.outcome,
    errorCode: facts.errorCode,
    error: error === undefined ? undefined : shortText(error, MAX_ERROR),
    attempts: facts.attempts,
    cache: facts.cached ? "hit" : undefined,
    promptTokens: usage?.promptTokens,
    completionTokens: usage?.completionTokens,
    cachedTokens: usage?.cachedTokens,
    cost: facts.cost ?? undefined,
    // The duration of a provider's job says nothing about a single record.
    ...facts.id === undefined
      ? undefined
      : { duration: microseconds(facts.duration), queued: microseconds(facts.queued) },
    firstToken: firstToken === undefined ? undefined : microseconds(firstToken),
  };
}

/** The line of an attempt. */
export function attemptLine(facts: AttemptFacts) {
  const { at, error, firstToken } = facts;
  return {
    time: new Date(at).toISOString(),
    level: "debug",
    event: "attempt",
    id: facts.id,
    index: facts.index,
    attempt: facts.attempt,
    model: shortText(facts.model, MAX_NAME),
    endpoint: facts.endpoint,
    status: facts.status,
    outcome: facts.outcome,
    errorCode: facts.errorCode,
    error: error === undefined ? undefined : shortText(error, MAX_ERROR),
    duration: microseconds(facts.duration),
    firstToken: firstToken === undefined ? undefined : microseconds(firstToken),
    headers: facts.headers,
  };
}

/** Prompt and answer of a call, truncated and without keys. Images and other data are left out. */
export function contentOf({ messages, result, redact }: CallContent) {
  const input = JSON.stringify(messages, (key, value) => {
    if (key === "providerMessage") return undefined;
    return typeof value === "string" && /^data:|^[A-Za-z0-9+/=]{1000,}$/.test(value)
      ? `(${value.length} characters of data)`
      : value;
  });
  const output = result === undefined
    ? undefined
    : result.content || result.toolCalls.length === 0
    ? result.content
    : JSON.stringify(result.toolCalls);
  // Redacted before they are truncated: half a key would not be recognized.
  return {
    input: shortText(redact(input), MAX_CONTENT),
    output: output === undefined ? undefined : shortText(redact(output), MAX_CONTENT),
  };
}
