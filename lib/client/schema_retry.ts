/**
 * Retries when an answer does not match its schema, and shows the model what was wrong with it.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Usage } from "../usage.ts";
import { copyError, FlexLLMError } from "../errors.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";

/** Maximum problems shown to the model. */
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

/** What answers to a request have taken. */
type Spent = Pick<ChatResult, "usage" | "cost" | "cached" | "latency">;

/** What two answers have taken together; those from the cache took nothing. */
function sumOf(first: Spent, second: Spent): Spent {
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

/** An answer, with what all answers to the request have taken. */
function withSpent(spent: Spent | undefined, result: ChatResult): ChatResult {
  return spent === undefined ? result : { ...result, ...sumOf(spent, result) };
}

/** What an error says that its answer has taken. */
function spentOn(error: FlexLLMError): Spent {
  if (error instanceof SchemaMismatchError && error.result !== undefined) return error.result;
  const { usage = null, cost = 0 } = error.partial ?? {};
  return { usage, cost, cached: false, latency: 0 };
}

/** An error with what the answers before it have cost. */
function withSpentBefore(error: unknown, spent: Spent | undefined): unknown {
  if (spent === undefined || !(error instanceof FlexLLMError)) return error;
  const { content = "", thinking = null } = error.partial ?? {};
  const { usage, cost } = sumOf(spent, spentOn(error));
  return copyError(error, { partial: { content, thinking, usage, cost } });
}

function complaint({ message, problems }: SchemaMismatchError): string {
  const told = problems.length === 0
    ? message
    : `it does not fit the schema:\n${
      problems.slice(0, SHOWN_PROBLEMS).map((problem) => `- ${problem}`).join("\n")
    }`;
  return `Your answer cannot be used: ${told}\n\n` +
    "Answer again with nothing but JSON that fits the schema.";
}

/**
 * Requests a completion, and again up to `retries` times while the answer does not match its schema. The
 * result counts the tokens, the cost and the time of all of them.
 *
 * @throws {SchemaMismatchError} for the last answer, whose `result` counts all of them as well
 */
export async function retryUntilValid(
  request: (messages: readonly Message[]) => Promise<ChatResult>,
  messages: readonly Message[],
  retries: number,
): Promise<ChatResult> {
  let spent: Spent | undefined;
  let sent = messages;
  for (let attempts = 0;; attempts++) {
    try {
      return withSpent(spent, await request(sent));
    } catch (error) {
      if (!(error instanceof SchemaMismatchError)) throw withSpentBefore(error, spent);
      if (attempts >= retries) {
        // A service that refuses such an answer itself gives no result for it.
        if (error.result === undefined) throw withSpentBefore(error, spent);
        throw copyError(error, { result: withSpent(spent, error.result) });
      }
      spent = spent === undefined ? spentOn(error) : sumOf(spent, spentOn(error));
      const answer: Message = error.result?.message ??
        { role: "assistant", content: error.content };
      // Only the last answer is shown: older ones would lead it astray and cost again.
      sent = [...messages, answer, { role: "user", content: complaint(error) }];
    }
  }
}
