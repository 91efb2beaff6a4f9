/**
 * Checks whether a record can be sent and written to a result file.
 *
 * @module
 */
import type { BatchRecord } from "../chat/record.ts";
import { FlexLLMError, InternalError, InvalidInputError } from "../errors.ts";
import { isTooDeep, MAX_DEPTH, stringifyExact } from "../json/json.ts";
import type { IndexedRecord } from "./executor.ts";

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

/** What is wrong with a record before it is sent, and in which field; `undefined` if it is valid. */
export function recordProblem(record: BatchRecord, isJournaled: boolean): string | undefined {
  for (const part of PARTS) {
    if (!isTooDeep(record[part])) continue;
    return `${part}: nested more than ${MAX_DEPTH} levels deep, or circular`;
  }
  // Messages and options are encoded as JSON for the request anyway; only metadata is not.
  if (!isJournaled || record.metadata === undefined) return undefined;
  const problem = jsonProblem(record.metadata, stringifyExact);
  return problem && `metadata: cannot be written as JSON: ${problem}`;
}

/** What is wrong with a record whose request could not be encoded; `undefined` if it is valid. */
function encodingProblem({ messages, options }: BatchRecord): string | undefined {
  const problem = jsonProblem([messages, options], JSON.stringify);
  return problem && `cannot be written as JSON: ${problem}`;
}

function invalidRecord({ index }: IndexedRecord, problem: string, cause?: unknown) {
  return new InvalidInputError(`record ${index}: ${problem}`, { cause });
}

/**
 * Checks a record before it is sent.
 *
 * @param isJournaled whether its result is written to a journal
 * @throws {InvalidInputError} if it cannot be sent or written
 */
export function checkRecord(record: IndexedRecord, isJournaled: boolean): void {
  const problem = recordProblem(record, isJournaled);
  if (problem !== undefined) throw invalidRecord(record, problem);
}

/** The error of one record. A bug that it triggers must not stop the others. */
export function recordError(record: IndexedRecord, error: unknown): FlexLLMError {
  if (error instanceof FlexLLMError) return error;
  const problem = encodingProblem(record);
  return problem === undefined ? new InternalError(error) : invalidRecord(record, problem, error);
}
