/**
 * Batches over a client, as library users call them.
 *
 * @module
 */
import type { BatchInput, BatchRecord } from "../chat/record.ts";
import { Checkpoint } from "./journal/journal.ts";
import { comparedInput } from "./journal/result_line.ts";
import type { Completions } from "./completions.ts";
import { FlexLLMError, InvalidInputError } from "../errors.ts";
import { BatchRun, type IndexedRecord } from "./run.ts";
import type { BatchItem, BatchIterator, BatchResult } from "./items.ts";
import type { BatchOptions } from "./options.ts";
import { type BatchSummary, emptySummary } from "./summary.ts";

/** What is neither is left for the client to refuse, as the failure of this one record. */
function toRecord(input: BatchInput): BatchRecord {
  const isRecord = typeof input === "object" && input !== null && "messages" in input;
  return isRecord ? input : { messages: input };
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
  checkpoint: Checkpoint,
  inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
  rerunChanged: boolean | undefined,
): void {
  if (!Array.isArray(inputs)) return;
  for (const [index, input] of inputs.entries()) {
    checkpoint.isDone(index, comparedInput(toRecord(input)), rerunChanged);
  }
  checkpoint.checkEnd(inputs.length);
}

async function* runBatch(
  client: Completions,
  inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
  options: BatchOptions,
  onStart: (run: BatchRun) => void,
): AsyncGenerator<BatchItem[], void, void> {
  const { output, rerunChanged } = options;
  const checkpoint = output === undefined ? undefined : await Checkpoint.open(output);
  try {
    if (checkpoint !== undefined) checkAll(checkpoint, inputs, rerunChanged);
    const pending = Array.isArray(inputs)
      ? inputs.length - (checkpoint?.successes ?? 0)
      : undefined;
    const run = new BatchRun(client, { ...options, checkpoint, pending, yieldRestored: true });
    onStart(run);
    const isAsync = Symbol.asyncIterator in inputs;
    yield* run.batches(isAsync ? asyncRecords(inputs) : syncRecords(inputs));
    checkpoint?.order();
  } finally {
    checkpoint?.close();
  }
}

/** The batch behind `iterChatCompletionsBatch`. */
export function iterateBatch(
  client: Completions,
  inputs: Iterable<BatchInput> | AsyncIterable<BatchInput>,
  options: BatchOptions,
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
  options: BatchOptions,
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
