/**
 * Adds the total cost of a call and its parsed value to its result or error.
 *
 * @module
 */
import type { ResponseFormat } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { hasParsed, parseStructured } from "../chat/structured_output.ts";
import { copyError, FlexLLMError } from "../errors.ts";

/** Adds the cost of failed attempts, in USD, to a result. */
export function withLost(result: ChatResult, lost: number): ChatResult {
  if (lost > 0 && result.cost !== null) result.cost += lost;
  return result;
}

/** Adds the cost of all attempts, in USD, to the error that ended a call. */
export function withLostCost(error: unknown, lost: number): unknown {
  if (lost === 0 || !(error instanceof FlexLLMError)) return error;
  const partial = error.partial ?? { content: "", thinking: null };
  return copyError(error, { partial: { ...partial, cost: lost } });
}

/**
 * Adds the parsed value of a structured answer. Refusals and tool calls have none.
 *
 * @throws {SchemaMismatchError} if the answer does not match; contains the answer, which has been paid for
 * @throws {ConfigurationError} if the schema cannot be used
 */
export async function withParsed(
  answer: ChatResult | Promise<ChatResult>,
  format: ResponseFormat,
): Promise<ChatResult> {
  const result = await answer;
  if (!hasParsed(result)) return result;
  try {
    result.parsed = await parseStructured(result.content, format);
    return result;
  } catch (error) {
    if (error instanceof SchemaMismatchError) throw copyError(error, { result });
    if (!(error instanceof FlexLLMError)) throw error;
    const { content, thinking, usage, cost } = result;
    throw copyError(error, { partial: { content, thinking, usage, cost } });
  }
}
