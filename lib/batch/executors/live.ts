/**
 * Executes the records of a batch as live requests: one client call per record, limited by a slot pool.
 *
 * @module
 */
import type { CallFacts } from "../../chat/call_facts.ts";
import type { ChatOptions, SamplingOptions } from "../../chat/options.ts";
import { withRecordOptions } from "../../chat/record_options.ts";
import type { CallHooks } from "../../scheduling/call_hooks.ts";
import type { RetryNotice } from "../../chat/retry_notice.ts";
import type { Completions } from "../completions.ts";
import type { Executor, IndexedRecord, Outcome } from "../executor.ts";
import type { BatchTrace } from "../../telemetry/batch_trace.ts";
import { checkRecord, recordError } from "../record_problem.ts";
import { type Slot, SlotPool } from "../slot_pool.ts";

/** Maximum number of records that wait for a retry at the same time. */
const MAX_PARKED = 1000;

/** Options for every request of a batch. A record can override them. */
export type RequestTemplate =
  & SamplingOptions
  & Pick<ChatOptions, "model" | "timeout" | "schemaRetries">;

/** The options of a {@link LiveExecutor}. */
export interface LiveExecutorOptions {
  /** The options for every request. */
  request?: RequestTemplate;
  /**
   * Maximum number of records in progress.
   *
   * @default the client's `concurrencyLimit`, which also caps it
   */
  concurrency?: number;
  /** How many records will be sent, if known: near the end, slow endpoints get no new work. */
  pending?: number;
  /** Whether outcomes are written to a journal: checks metadata, and collects {@link CallFacts}. */
  isJournaled?: boolean;
  /** Called when an attempt failed, before the wait for the next one. */
  onRetry?: (notice: RetryNotice) => void;
}

/** The state that the calls of one executor share. */
interface CallState {
  /** Ends waiting, for slots and between attempts, but not requests in flight. */
  readonly stopWaiting: AbortController;
  readonly remaining: (() => number) | undefined;
  readonly onRetry: ((notice: RetryNotice) => void) | undefined;
  /** What the spans of the calls are a part of. */
  trace: CallHooks["trace"];
  started: number;
  retries: number;
  anyAnswer: boolean;
}

/** The hooks of one record: its slot is parked during a backoff. */
class RecordHooks implements CallHooks {
  readonly waitForRecovery = true;
  readonly index: number;
  readonly waitSignal: AbortSignal;
  readonly remaining: (() => number) | undefined;
  readonly trace: CallHooks["trace"];
  readonly #slot: Slot;
  readonly #state: CallState;

  constructor(index: number, slot: Slot, state: CallState) {
    this.index = index;
    this.#slot = slot;
    this.#state = state;
    this.waitSignal = state.stopWaiting.signal;
    this.remaining = state.remaining;
    this.trace = state.trace;
  }

  onRetryWait(notice: RetryNotice): void {
    this.#state.retries++;
    this.#state.onRetry?.(notice);
    // Before the first answer, other records would most likely fail in the same way.
    if (this.#state.anyAnswer) this.#slot.park();
  }

  onRetryResume(): void {
    this.#slot.unpark();
  }
}

/** Hooks that also collect the facts of the call. Without `onEnd`, the client does not record any. */
class FactCollector extends RecordHooks {
  facts: CallFacts | undefined;

  onEnd(facts: CallFacts): void {
    this.facts = facts;
  }
}

/** Sends each record through a client. */
export class LiveExecutor implements Executor {
  readonly concurrency: number;
  readonly #completions: Completions;
  readonly #options: LiveExecutorOptions;
  /** The options of records without their own. */
  readonly #request: ChatOptions;
  readonly #aborting = new AbortController();
  readonly #state: CallState;
  #pool: SlotPool<IndexedRecord, Outcome> | undefined;

  constructor(completions: Completions, options: LiveExecutorOptions = {}) {
    const { concurrency = Infinity, pending, onRetry, request } = options;
    this.#completions = completions;
    this.#options = options;
    this.concurrency = Math.min(concurrency, completions.concurrencyLimit);
    this.#request = { ...request, signal: this.#aborting.signal };
    this.#state = {
      stopWaiting: new AbortController(),
      remaining: pending === undefined ? undefined : () => pending - this.#state.started,
      onRetry,
      trace: undefined,
      started: 0,
      retries: 0,
      anyAnswer: false,
    };
  }

  get retries(): number {
    return this.#state.retries;
  }

  get hasHealthyEndpoint(): boolean {
    return this.#completions.stats.some(({ failures }) => failures === 0);
  }

  traceAs({ context }: BatchTrace): void {
    this.#state.trace = context;
  }

  run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<Outcome[], void, void> {
    const pool = this.#pool = new SlotPool(
      records,
      (record, slot) => this.#complete(record, slot),
      { concurrency: this.concurrency, maxParked: MAX_PARKED },
    );
    if (this.#state.stopWaiting.signal.aborted) pool.stop();
    return pool.outcomes();
  }

  stop(): void {
    this.#pool?.stop();
    this.#state.stopWaiting.abort();
  }

  abort(): void {
    this.stop();
    this.#aborting.abort();
  }

  async #complete(record: IndexedRecord, slot: Slot): Promise<Outcome> {
    this.#state.started++;
    const { isJournaled = false } = this.#options;
    try {
      checkRecord(record, isJournaled);
    } catch (error) {
      return { record, ok: false, error };
    }
    const hooks = isJournaled
      ? new FactCollector(record.index, slot, this.#state)
      : new RecordHooks(record.index, slot, this.#state);
    const request = record.options === undefined
      ? this.#request
      : withRecordOptions(this.#request, record.options);
    try {
      const result = await this.#completions.complete(record.messages, request, hooks);
      this.#state.anyAnswer = true;
      return { record, facts: factsOf(hooks), ok: true, result };
    } catch (error) {
      return { record, facts: factsOf(hooks), ok: false, error: recordError(record, error) };
    }
  }
}

function factsOf(hooks: RecordHooks): CallFacts | undefined {
  return hooks instanceof FactCollector ? hooks.facts : undefined;
}
