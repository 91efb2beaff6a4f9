/**
 * Sends the records of a job through the job's client, and turns what comes back into results.
 *
 * @module
 */
import { recordError } from "../../batch/record_problem.ts";
import { StopPolicy } from "../../batch/stop_policy.ts";
import type { ChatOptions } from "../../chat/options.ts";
import { withRecordOptions } from "../../chat/record_options.ts";
import { AbortedError, type FlexLLMError } from "../../errors.ts";
import { RedisUnavailableError } from "../../redis/redis_error.ts";
import type { JobClient } from "../job_spec.ts";
import { decodeSentRecord, type SentRecord } from "../record_codec.ts";
import { answered, failed, resultHead, type WorkResult } from "../work_result.ts";
import type { HeldRecord } from "./held_record.ts";

/** What a worker counts over all of its jobs. */
export interface WorkerCounts {
  done: number;
  failed: number;
  retries: number;
  cost: number;
  lastError: string | undefined;
}

/** How the call for a record ended. */
export interface CallEnd {
  result: WorkResult;
  /** Whether the record is given back to other workers. */
  isReturned: boolean;
  /** The error because of which the worker must leave the job; reported once. */
  fatal?: FlexLLMError;
}

/** Options of {@link RecordCalls}. */
export interface RecordCallsOptions {
  client: JobClient;
  /** The request, without the messages. */
  request: ChatOptions;
  concurrency: number;
  counts: WorkerCounts;
}

/** The calls of one worker for one job. */
export class RecordCalls {
  readonly #options: RecordCallsOptions;
  readonly #policy: StopPolicy;
  #anyAnswer = false;
  #hasFatalError = false;

  constructor(options: RecordCallsOptions) {
    this.#options = options;
    this.#policy = new StopPolicy({ concurrency: options.concurrency });
  }

  /** Whether there was an answer: before that, other records would most likely fail as well. */
  get anyAnswer(): boolean {
    return this.#anyAnswer;
  }

  /** Sends a record. Errors are results. */
  async send(held: HeldRecord): Promise<CallEnd> {
    const { client: { completions }, request, counts } = this.#options;
    const { entry } = held;
    let { messages, options }: SentRecord = { messages: [] };
    try {
      ({ messages, options } = decodeSentRecord(entry));
      const own = options === undefined ? request : withRecordOptions(request, options);
      const result = await completions.complete(messages, own, held);
      this.#anyAnswer = true;
      this.#policy.answered();
      counts.done++;
      counts.cost += result.cached ? 0 : result.cost ?? 0;
      return {
        result: { ...resultHead(entry), ...answered(result, held.facts) },
        isReturned: false,
      };
    } catch (thrown) {
      const error = recordError({ index: entry.index, messages, options }, thrown);
      return this.#failed(held, error, options !== undefined);
    }
  }

  #failed({ entry, facts }: HeldRecord, error: FlexLLMError, hasOwnOptions: boolean): CallEnd {
    const { counts, client } = this.#options;
    const head = resultHead(entry);
    const cost = error.partial?.cost ?? 0;
    counts.cost += cost;
    if (error instanceof AbortedError && cost > 0) {
      return { result: { ...head, c: cost }, isReturned: true };
    }
    if (error instanceof AbortedError || error instanceof RedisUnavailableError) {
      return { result: head, isReturned: true };
    }
    const decision = this.#policy.failed(error, {
      hasOwnOptions,
      hasHealthyEndpoint: client.completions.stats.some(({ failures }) => failures === 0),
      isStopping: this.#hasFatalError,
    });
    const isFatal = decision.stop && !this.#hasFatalError;
    this.#hasFatalError ||= isFatal;
    counts.lastError = error.message;
    if (decision.record) counts.failed++;
    const result: WorkResult = { ...head, ...failed(error, facts) };
    if (isFatal) result.x = true;
    if (!decision.record) result.b = true;
    return { result, isReturned: !decision.record, fatal: isFatal ? error : undefined };
  }
}
