/**
 * Implements the batch methods of a client: opens the result file, runs the records and yields their items.
 *
 * @module
 */
import { withJsonSchemas } from "../chat/normalize.ts";
import type { AnyResponseFormat } from "../chat/options.ts";
import { ConfigurationError, FlexLLMError, InvalidInputError } from "../errors.ts";
import { type BatchInputs, recordsOf } from "./inputs.ts";
import type { BatchItem, BatchIterator, BatchResult } from "./items.ts";
import { checkInputs, checkSingleModel } from "./journal/check_inputs.ts";
import { Journal } from "./journal/journal.ts";
import type { BatchOptions } from "./options.ts";
import { BatchRun } from "./run.ts";
import { type BatchClient, jobSending, liveSending } from "./sending.ts";
import { type BatchSummary, emptySummary } from "./summary.ts";

/**
 * Checks how the records are to be sent.
 *
 * @throws {ConfigurationError} if the value is unknown, or options are only for the other way
 */
function checkWay({ via = "live", jobs }: Pick<BatchOptions, "via" | "jobs">): void {
  if (via !== "live" && via !== "provider") {
    throw new ConfigurationError(`via: expected "live" or "provider", got ${JSON.stringify(via)}`);
  }
  if (via === "provider" || jobs === undefined) return;
  throw new ConfigurationError('jobs: only for batches with via: "provider"', {
    hint: 'Add via: "provider", or remove jobs.',
  });
}

async function* runBatch(
  client: BatchClient,
  inputs: BatchInputs,
  given: BatchOptions<AnyResponseFormat>,
  onStart: (run: BatchRun) => void,
): AsyncGenerator<BatchItem[], void, void> {
  const options = withJsonSchemas(given);
  const { output, rerunChanged, concurrency, signal, onRetry, via, jobs, ...request } = options;
  checkWay(options);
  const journal = output === undefined ? undefined : await Journal.open(output);
  try {
    const file = journal === undefined ? undefined : { journal, output: output! };
    if (file !== undefined) checkSingleModel(file.journal, file.output);
    if (journal !== undefined) checkInputs(journal, inputs, rerunChanged);
    const pending = Array.isArray(inputs) ? inputs.length - (journal?.successes ?? 0) : undefined;
    using sending = via === "provider"
      ? await jobSending(client, inputs, { request, jobs, rerunChanged }, file)
      : liveSending(client, { request, concurrency, pending, onRetry }, file);
    const signals = [signal, sending.signal].filter((signal) => signal !== undefined);
    const run = new BatchRun(sending.executor, {
      journal,
      rerunChanged,
      signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0],
      yieldRestored: true,
      responseFormat: request.responseFormat,
    });
    onStart(run);
    yield* run.items(recordsOf(inputs));
    sending.checkEnd();
    journal?.compact();
  } finally {
    journal?.close();
  }
}

/** Implements `iterChatCompletionsBatch`. */
export function iterateBatch(
  client: BatchClient,
  inputs: BatchInputs,
  options: BatchOptions<AnyResponseFormat>,
): BatchIterator {
  let run: BatchRun | undefined;
  const summary = () => run?.summary() ?? emptySummary();
  async function* items(): AsyncGenerator<BatchItem, BatchSummary, void> {
    for await (const group of runBatch(client, inputs, options, (started) => run = started)) {
      // Not `yield*`, which takes three promises for each item.
      for (const item of group) yield item;
    }
    return summary();
  }
  return Object.defineProperty(items(), "summary", { get: summary }) as BatchIterator;
}

/** Limits that the caller set. Reaching one is not an error, even if there are no results. */
const LIMITS: ReadonlySet<string> = new Set(["aborted", "budget_exceeded", "quota_exceeded"]);

/** Implements `chatCompletionsBatch`. */
export async function collectBatch(
  client: BatchClient,
  inputs: BatchInputs,
  options: BatchOptions<AnyResponseFormat>,
): Promise<BatchResult> {
  const results: BatchItem[] = [];
  let run: BatchRun | undefined;
  try {
    for await (const group of runBatch(client, inputs, options, (started) => run = started)) {
      for (const item of group) results[item.index] = item;
    }
    // The array has holes where records were exported.
    return { results: results.filter(() => true), summary: run!.summary() };
  } catch (error) {
    const stoppedBy = error instanceof FlexLLMError ? error : inputError(error);
    const isDeadline = options.via === "provider" && stoppedBy.code === "timeout";
    const isLimit = LIMITS.has(stoppedBy.code) || isDeadline;
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
