/**
 * Batches over a client, as library users call them.
 *
 * @module
 */
import { withJsonSchemas } from "../chat/normalize.ts";
import type { AnyResponseFormat } from "../chat/options.ts";
import type { BatchInput, BatchRecord } from "../chat/record.ts";
import { Journal } from "./journal/journal.ts";
import { inputIdentity } from "./journal/result_line.ts";
import type { Completions } from "./completions.ts";
import { FlexLLMError, InvalidInputError } from "../errors.ts";
import { BatchRun, type IndexedRecord } from "./run.ts";
import type { BatchItem, BatchIterator, BatchResult } from "./items.ts";
import type { BatchOptions } from "./options.ts";
import { withRestoredValues } from "./restored_values.ts";
import { type BatchSummary, emptySummary } from "./summary.ts";

/** What is neither is left for the client to refuse, as the failure of this one record. */
function toRecord(input: BatchInput): BatchRecord {
  const isRecord = typeof input === "object" && input !== null && "messages" in input;
  if (!isRecord) return { messages: input };
  const { options } = input;
  if (options === undefined || options === null) return input;
  try {
    const converted = withJsonSchemas(options);
    return converted === options ? input : { ...input, options: converted };
  } catch {
    // The call fails with the same error, which then only concerns this record.
    return input;
  }
}

function* syncRecords(inputs: Iterable<BatchInput>): Generator<IndexedRecord> {
  let index = 0;
  for (const input of inputs) yield { index: index++, ...toRecord(input) };
}

async function* asyncRecords(inputs: AsyncIterable<BatchInput>): AsyncGenerator<IndexedRecord> {
  let index = 0;
  for await (const input of inputs) yield { index: index++, ...toRecord(input) };
}

/** Throws before anything is sent when the inputs are at hand and one differs from its result. */
function checkAll(
  journal: Journal,
  inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
  rerunChanged: boolean | undefined,
): void {
  if (!Array.isArray(inputs)) return;
  for (const [index, input] of inputs.entries()) {
    journal.isDone(index, inputIdentity(toRecord(input)), rerunChanged);
  }
  journal.checkEnd(inputs.length);
}

async function* runBatch(
  client: Completions,
  inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
  given: BatchOptions<AnyResponseFormat>,
  onStart: (run: BatchRun) => void,
): AsyncGenerator<BatchItem[], void, void> {
  const options = withJsonSchemas(given);
  const { output, rerunChanged } = options;
  const journal = output === undefined ? undefined : await Journal.open(output);
  try {
    if (journal !== undefined) checkAll(journal, inputs, rerunChanged);
    const pending = Array.isArray(inputs) ? inputs.length - (journal?.successes ?? 0) : undefined;
    const run = new BatchRun(client, { ...options, journal, pending, yieldRestored: true });
    onStart(run);
    const isAsync = Symbol.asyncIterator in inputs;
    const groups = run.batches(isAsync ? asyncRecords(inputs) : syncRecords(inputs));
    yield* withRestoredValues(groups, options.responseFormat);
    journal?.order();
  } finally {
    journal?.close();
  }
}

/** The batch behind `iterChatCompletionsBatch`. */
export function iterateBatch(
  client: Completions,
  inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
  options: BatchOptions<AnyResponseFormat>,
): BatchIterator {
  let run: BatchRun | undefined;
  const summary = () => run?.summary() ?? emptySummary();
  async function* items(): AsyncGenerator<BatchItem, BatchSummary, void> {
    for await (const group of runBatch(client, inputs, options, (begun) => run = begun)) {
      yield* group;
    }
    return summary();
  }
  return Object.defineProperty(items(), "summary", { get: summary }) as BatchIterator;
}

/** Limits that the caller set: reaching one is not a failure, even without any answer. */
const LIMITS: ReadonlySet<string> = new Set(["aborted", "budget_exceeded", "quota_exceeded"]);

/** The batch behind `chatCompletionsBatch`. */
export async function collectBatch(
  client: Completions,
  inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
  options: BatchOptions<AnyResponseFormat>,
): Promise<BatchResult> {
  const results: BatchItem[] = [];
  let run: BatchRun | undefined;
  try {
    for await (const items of runBatch(client, inputs, options, (begun) => run = begun)) {
      for (const item of items) results[item.index] = item;
    }
    return { results, summary: run!.summary() };
  } catch (error) {
    const stoppedBy = error instanceof FlexLLMError ? error : inputFailure(error);
    const isLimit = LIMITS.has(stoppedBy.code);
    // No results: nothing to return.
    if (run === undefined || results.length === 0 && !isLimit) throw error;
    // Holes are records that were not sent.
    return { results: results.filter(() => true), summary: run.summary(), stoppedBy };
  }
}

/** The input iterable is the only code in a batch that is not ours. */
function inputFailure(cause: unknown): FlexLLMError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InvalidInputError(`reading the inputs of the batch failed: ${reason}`, { cause });
}
