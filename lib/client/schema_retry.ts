/**
 * Asks again when an answer does not fit its schema, and shows the model what was wrong with it.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatResult, Usage } from "../chat/result.ts";
import { SchemaMismatchError } from "../errors.ts";

/** How many problems the model is told of. */
const TOLD_PROBLEMS = 10;

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
  for (const name of ["cachedTokens", "cacheWriteTokens", "reasoningTokens"] as const) {
    const value = sum(name);
    if (value !== undefined) usage[name] = value;
  }
  return usage;
}

/** The later answer, with what all answers to the request have taken. */
function withSpent(spent: ChatResult | undefined, result: ChatResult): ChatResult {
  if (spent === undefined) return result;
  return {
    ...result,
    usage: addUsage(spent.usage, result.usage),
    cost: spent.cost === null || result.cost === null ? null : spent.cost + result.cost,
    latency: spent.latency + result.latency,
  };
}

function complaint({ message, problems }: SchemaMismatchError): string {
  const told = problems.length === 0
    ? message
    : `it does not fit the schema:\n${
      problems.slice(0, TOLD_PROBLEMS).map((problem) => `- ${problem}`).join("\n")
    }`;
  return `Your answer cannot be used: ${told}\n\n` +
    "Answer again with nothing but JSON that fits the schema.";
}

/**
 * Asks for a completion, and again up to `retries` times while the answer does not fit. The result
 * counts the tokens, the cost and the time of all of them.
 *
 * @throws {SchemaMismatchError} for the last answer, whose `result` counts all of them too
 */
export async function askUntilItFits(
  ask: (messages: readonly Message[]) => Promise<ChatResult>,
  messages: readonly Message[],
  retries: number,
): Promise<ChatResult> {
  let spent: ChatResult | undefined;
  let asked = messages;
  for (let tries = 0;; tries++) {
    try {
      return withSpent(spent, await ask(asked));
    } catch (error) {
      if (!(error instanceof SchemaMismatchError) || error.result === undefined) throw error;
      error.result = spent = withSpent(spent, error.result);
      if (tries >= retries) throw error;
      // Only the last answer is shown: older ones would lead it astray and cost again.
      asked = [...messages, error.result.message, { role: "user", content: complaint(error) }];
    }
  }
}
