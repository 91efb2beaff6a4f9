/**
 * Batches over a client, as library users call them.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { Checkpoint } from "./journal/journal.ts";
import { comparedInput } from "./journal/result_line.ts";
import type { BatchInput, ChatClient } from "../client/chat_client.ts";
import { FlexLLMError, InvalidInputError } from "../errors.ts";
import { BatchRun, type IndexedRecord } from "./run.ts";
import { type BatchSummary, emptySummary } from "./summary.ts";

/** One record of a batch. */
export interface BatchRecord {
  /** The conversation to complete. */
  messages: readonly Message[];
  /** Anything that should stand beside the answer in the result file. */
  metadata?: Record<string, unknown>;
  /** Options for this record alone; they win over those of the batch. */
  options?: SamplingOptions & { model?: string };
}

/**
 * The options of a batch; sampling options hold for every record that has no own ones. Times are in
 * seconds.
 */
export interface BatchOptions extends SamplingOptions {
  /** The model to ask instead of the client's. */
  model?: string;
  /** Seconds one try may take; default the client's. */
  timeout?: number;
  /** How often an answer that does not fit `responseFormat` is asked for again; default 0. */
  schemaRetries?: number;
  /** Cancels the batch; what is in flight is cut, what is done stays in the result file. */
  signal?: AbortSignal;
  /** The most records at work at once; default, and at most, the client's `concurrencyLimit`. */
  concurrency?: number;
  /**
   * A result file (`.jsonl`). Records that are done in it are not asked again; each new result is
   * written to it at once, and at the end it is put in order.
   */
  output?: string;
  /** Redo records whose input differs from that in the result file, instead of stopping. */
  rerunChanged?: boolean;
}

/** What became of one record. */
export type BatchItem =
  & {
    /** The record's place in the input, counted from 0. */
    index: number;
    messages: readonly Message[];
    metadata?: Record<string, unknown>;
    /** The record's own options. */
    options?: SamplingOptions & { model?: string };
  }
  & (
    | {
      status: "success";
      result: ChatResult;
      /** Whether the result was in the result file before this run. */
      restored: boolean;
    }
    | { status: "error"; error: FlexLLMError }
  );

/** All results of a batch. */
export interface BatchResult {
  /**
   * One item for each record, in the order of the input. When the batch stopped early, records that were
   * not finished are left out: use {@link BatchItem.index}.
   */
  results: BatchItem[];
  /** The counts. */
  summary: BatchSummary;
  /**
   * Why the batch stopped early: the budget or quota is used up, it was cancelled, the key was refused,
   * the server is down, the result file cannot be written, and so on. Absent if it finished.
   */
  stoppedBy?: FlexLLMError;
}

/** Yields the items of a batch; returns the counts at its end. */
export type BatchIterator = AsyncGenerator<BatchItem, BatchSummary, void> & {
  /** The counts so far; also available after the batch has finished or failed. */
  readonly summary: BatchSummary;
};

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
  client: ChatClient,
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
  client: ChatClient,
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
  client: ChatClient,
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
