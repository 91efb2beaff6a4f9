/**
 * Finds inputs that cannot be sent or written to a result file.
 *
 * @module
 */
import { isTooDeep, MAX_DEPTH, stringifyExact } from "../json/json.ts";
import type { BatchRecord } from "../chat/record.ts";

function jsonProblem(
  value: unknown,
  stringify: (value: unknown) => string,
): string | undefined {
  try {
    stringify(value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}

const PARTS = ["messages", "metadata", "options"] as const;

/** What is wrong with a record before it is sent, and where; `undefined` if it is valid. */
export function recordProblem(record: BatchRecord, isJournaled: boolean): string | undefined {
  for (const part of PARTS) {
    if (!isTooDeep(record[part])) continue;
    return `${part}: nested more than ${MAX_DEPTH} levels deep, or circular`;
  }
  // What is sent is written as JSON anyway.
  if (!isJournaled || record.metadata === undefined) return undefined;
  const problem = jsonProblem(record.metadata, stringifyExact);
  return problem && `metadata: cannot be written as JSON: ${problem}`;
}

/** What is wrong with a record whose request could not be encoded. */
export function encodingProblem({ messages, options }: BatchRecord): string | undefined {
  const problem = jsonProblem([messages, options], JSON.stringify);
  return problem && `cannot be written as JSON: ${problem}`;
}
