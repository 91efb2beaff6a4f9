/**
 * Retries a request whose answer does not match its schema, showing the model what was wrong.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Usage } from "../usage.ts";
import { copyError, FlexLLMError } from "../errors.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";

/** Maximum number of problems shown to the model. */
const SHOWN_PROBLEMS = 10;

function addUsage(first: Usage | null, second: Usage | null): Usage | null {
  if (first === null || second === null) return first ?? second;
  const sum = (name: keyof Usage) => {
    const [a, b] = [first[name], second[name]];
    return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
  };
  const usage: Usage = {
    promptTokens: first.promptTokens + second.promptTokens,
    completionTokens: first.completionTokens + second.completionTokens,
    totalTokens: first.totalTokens + second.totalTokens,
  };
  for (
    const name of [
      "cachedTokens",
      "cacheWriteTokens",
      "cacheWriteHourTokens",
      "reasoningTokens",
    ] as const
  ) {
    const value = sum(name);
    if (value !== undefined) usage[name] = value;
  }
  return usage;
}

/** The usage, cost and time of the answers to one request. */
type Used = Pick<ChatResult, "usage" | "cost" | "cached" | "latency">;

/** Adds up two answers. Answers from the cache used no tokens. */
function sumOf(first: Used, second: Used): Used {
  const usage = first.cached === second.cached
    ? addUsage(first.usage, second.usage)
    : (first.cached ? second : first).usage;
  return {
    usage,
    cached: first.cached && second.cached,
    cost: first.cost === null || second.cost === null ? null : first.cost + second.cost,
    latency: first.latency + second.latency,
  };
}

/** Adds the usage of earlier answers to a result. */
function withUsed(used: Used | undefined, result: ChatResult): ChatResult {
  return used === undefined ? result : { ...result, ...sumOf(used, result) };
}

/** The usage of the answer that caused `error`. */
function usedFor(error: FlexLLMError): Used {
  if (error instanceof SchemaMismatchError && error.result !== undefined) return error.result;
  const { usage = null, cost = 0 } = error.partial ?? {};
  return { usage, cost, cached: false, latency: 0 };
}

/** Adds the usage of earlier answers to an error. */
function withUsedBefore(error: unknown, used: Used | undefined): unknown {
  if (used === undefined || !(error instanceof FlexLLMError)) return error;
  const { content = "", thinking = null } = error.partial ?? {};
  const { usage, cost } = sumOf(used, usedFor(error));
  return copyError(error, { partial: { content, thinking, usage, cost } });
}

/** The message that shows the model what was wrong with its answer. */
function correction({ message, problems }: SchemaMismatchError): string {
  const reason = problems.length === 0
    ? message
    : `it does not match the schema:\n${
      problems.slice(0, SHOWN_PROBLEMS).map((problem) => `- ${problem}`).join("\n")
    }`;
  return `Your answer cannot be used: ${reason}\n\n` +
    "Answer again with only JSON that matches the schema.";
}

/**
 * Requests a completion, and repeats that up to `retries` times while the answer does not match its schema. The
 * result includes the tokens, the cost and the time of all answers.
 *
 * @throws {SchemaMismatchError} for the last answer; its `result` includes all answers as well
 */
export async function retryUntilValid(
  request: (messages: readonly Message[]) => Promise<ChatResult>,
  messages: readonly Message[],
  retries: number,
): Promise<ChatResult> {
  let used: Used | undefined;
  let sent = messages;
  for (let attempts = 0;; attempts++) {
    try {
      return withUsed(used, await request(sent));
    } catch (error) {
      if (!(error instanceof SchemaMismatchError)) throw withUsedBefore(error, used);
      if (attempts >= retries) {
        // If the service itself rejects such an answer, there is no result.
        if (error.result === undefined) throw withUsedBefore(error, used);
        throw copyError(error, { result: withUsed(used, error.result) });
      }
      used = used === undefined ? usedFor(error) : sumOf(used, usedFor(error));
      const answer: Message = error.result?.message ??
        { role: "assistant", content: error.content };
      // Only the last answer is sent back: earlier ones would mislead the model and cost tokens.
      sent = [...messages, answer, { role: "user", content: correction(error) }];
    }
  }
}
