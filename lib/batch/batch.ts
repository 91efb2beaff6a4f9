/**
 * Implements the batch methods of a client: opens the result file, runs the records and yields their items.
 *
 * @module
 */
import { withJsonSchemas } from "../chat/normalize.ts";
import type { AnyResponseFormat } from "../chat/options.ts";
import type { BatchInput, BatchRecord } from "../chat/record.ts";
import { FlexLLMError, InvalidInputError, JournalError } from "../errors.ts";
import type { Completions } from "./completions.ts";
import type { IndexedRecord } from "./executor.ts";
import { LiveExecutor } from "./executors/live.ts";
import type { BatchItem, BatchIterator, BatchResult } from "./items.ts";
import { Journal } from "./journal/journal.ts";
import { inputIdentity } from "./journal/result_line.ts";
import type { BatchOptions } from "./options.ts";
import { BatchRun } from "./run.ts";
import { type BatchSummary, emptySummary } from "./summary.ts";

type BatchInputs = Iterable<BatchInput> | AsyncIterable<BatchInput>;

/** Invalid inputs are passed through so that the client rejects only that record. */
function toRecord(input: BatchInput): BatchRecord {
  const isRecord = typeof input === "object" && input !== null && "messages" in input;
  if (!isRecord) return { messages: input };
  const { options } = input;
  if (options === undefined || options === null) return input;
  try {
    const converted = withJsonSchemas(options);
    return converted === options ? input : { ...input, options: converted };
  } catch {
    // The call fails with the same error, so only this record fails.
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

/**
 * If the inputs are an array, compares all of them with the journal before anything is sent.
 *
 * @throws {JournalMismatchError} at the first input that differs
 */
function checkAll(journal: Journal, inputs: BatchInputs, rerunChanged: boolean | undefined): void {
  if (!Array.isArray(inputs)) return;
  for (const [index, input] of inputs.entries()) {
    journal.isDone(index, inputIdentity(toRecord(input)), rerunChanged);
  }
  journal.checkEnd(inputs.length);
}

/**
 * Checks that the result file is not one of the command line's batches with several models.
 *
 * @throws {JournalError} if it is
 */
function checkSingleModel({ models }: Journal, output: string): void {
  if (models.length === 0) return;
  throw new JournalError(`${output} has the results of several models: ${models.join(", ")}`, {
    hint: "Choose another output file: the library writes one file for each model.",
  });
}

async function* runBatch(
  completions: Completions,
  inputs: BatchInputs,
  given: BatchOptions<AnyResponseFormat>,
  onStart: (run: BatchRun) => void,
): AsyncGenerator<BatchItem[], void, void> {
  const options = withJsonSchemas(given);
  const { output, rerunChanged, concurrency, signal, onRetry, ...request } = options;
  const journal = output === undefined ? undefined : await Journal.open(output);
  try {
    if (journal !== undefined) checkSingleModel(journal, output!);
    if (journal !== undefined) checkAll(journal, inputs, rerunChanged);
    const pending = Array.isArray(inputs) ? inputs.length - (journal?.successes ?? 0) : undefined;
    const isJournaled = journal !== undefined;
    const executor = new LiveExecutor(completions, {
      request,
      concurrency,
      pending,
      isJournaled,
      onRetry,
    });
    const run = new BatchRun(executor, {
      journal,
      rerunChanged,
      signal,
      yieldRestored: true,
      responseFormat: request.responseFormat,
    });
    onStart(run);
    const isAsync = Symbol.asyncIterator in inputs;
    yield* run.items(isAsync ? asyncRecords(inputs) : syncRecords(inputs));
    journal?.compact();
  } finally {
    journal?.close();
  }
}

/** Implements `iterChatCompletionsBatch`. */
export function iterateBatch(
  completions: Completions,
  inputs: BatchInputs,
  options: BatchOptions<AnyResponseFormat>,
): BatchIterator {
  let run: BatchRun | undefined;
  const summary = () => run?.summary() ?? emptySummary();
  async function* items(): AsyncGenerator<BatchItem, BatchSummary, void> {
    for await (const group of runBatch(completions, inputs, options, (started) => run = started)) {
      yield* group;
    }
    return summary();
  }
  return Object.defineProperty(items(), "summary", { get: summary }) as BatchIterator;
}

/** Limits that the caller set. Reaching one is not an error, even if there are no results. */
const LIMITS: ReadonlySet<string> = new Set(["aborted", "budget_exceeded", "quota_exceeded"]);

/** Implements `chatCompletionsBatch`. */
export async function collectBatch(
  completions: Completions,
  inputs: BatchInputs,
  options: BatchOptions<AnyResponseFormat>,
): Promise<BatchResult> {
  const results: BatchItem[] = [];
  let run: BatchRun | undefined;
  try {
    for await (const group of runBatch(completions, inputs, options, (started) => run = started)) {
      for (const item of group) results[item.index] = item;
    }
    return { results, summary: run!.summary() };
  } catch (error) {
    const stoppedBy = error instanceof FlexLLMError ? error : inputError(error);
    const isLimit = LIMITS.has(stoppedBy.code);
    // There is nothing to return.
    if (run === undefined || results.length === 0 && !isLimit) throw error;
    // The array has holes where records were not sent.
    return { results: results.filter(() => true), summary: run.summary(), stoppedBy };
  }
}

/** Wraps an error that is not ours: only the caller's iterable of inputs throws one. */
function inputError(cause: unknown): FlexLLMError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InvalidInputError(`reading the inputs of the batch failed: ${reason}`, { cause });
}
