/**
 * Collects the results of a job that has ended: matches them with their records, decodes them and yields the
 * outcomes.
 *
 * @module
 */
import type { Job, RowResult } from "../../batch_api/batch_api.ts";
import { SchemaMismatchError } from "../../chat/schema_mismatch_error.ts";
import { FlexLLMError, InternalError, MalformedResponseError } from "../../errors.ts";
import { asObject } from "../../json/json.ts";
import { abortable } from "../../runtime/abortable.ts";
import type { Charge } from "../../scheduling/budget.ts";
import type { Usage } from "../../usage.ts";
import type { IndexedRecord, Outcome } from "../executor.ts";
import { collectedFacts, type CollectedHead } from "./collected_facts.ts";
import type { JobContext } from "./job_context.ts";
import type { PartState } from "./part_events.ts";
import type { PartRecords } from "./part_store.ts";

/** Results that are decoded at the same time, and whose outcomes are written together. */
const GROUP = 32;
/** Characters of results that are decoded at the same time. Answers with images can be large. */
const GROUP_SIZE = 8_000_000;
/** How often a record is sent that never has a result. */
const MAX_MISSING = 3;
/** How often a record is sent that is never run. */
const MAX_NOT_RUN = 5;

type ProcessedRow = Extract<RowResult, { kind: "answer" | "error" }>;

/** What earlier jobs of this run did with the records that are sent again. */
export class RowHistory {
  readonly #missing = new Map<number, number>();
  readonly #failed = new Map<number, number>();
  readonly #notRun = new Map<number, number>();

  /** Counts a missing result and returns how often it was missing. */
  missing(index: number): number {
    return count(this.#missing, index);
  }

  /** Whether a result was missing before. */
  wasMissing(index: number): boolean {
    return this.#missing.has(index);
  }

  /** Counts a temporary failure and returns how often the record has failed. */
  failed(index: number): number {
    return count(this.#failed, index);
  }

  /** Counts a job that did not run the record and returns how many did not. */
  notRun(index: number): number {
    return count(this.#notRun, index);
  }
}

function count(counts: Map<number, number>, index: number): number {
  const n = (counts.get(index) ?? 0) + 1;
  counts.set(index, n);
  return n;
}

/** Whether a row that failed may succeed in another job. */
function isTemporary(row: ProcessedRow, error: FlexLLMError): boolean {
  return row.kind === "error" && error.retryable;
}

/** What a collection depends on besides its part. */
export interface CollectionOptions {
  history: RowHistory;
  /** Whether the record's result is in the result file, or its outcome was yielded. */
  isDone: (index: number) => boolean;
}

/** The collection of one part. Survives a download that breaks off. */
export class Collection implements Disposable {
  readonly #part: PartState;
  readonly #context: JobContext;
  readonly #options: CollectionOptions;
  readonly #records: PartRecords;
  /** Records whose result was seen. */
  readonly #seen = new Set<number>();
  /** Records that have to be sent again. */
  readonly left: number[] = [];
  answered = 0;
  failed = 0;
  notRun = 0;
  missing = 0;
  /** Of `left`: records with a temporary error. */
  temporary = 0;
  /** Why records were not run. */
  reason: string = "failed";
  foreign = 0;
  duplicates = 0;
  /** Lines of the last download that are not JSON objects. */
  unreadable = 0;
  /** Downloads that were complete, but lacked results. */
  rereads = 0;
  /** USD of the answers that this collection has yielded; `null` if unknown. */
  cost: number | null = 0;
  usage: Usage | null = null;
  /** Rows that this collection has decoded. */
  decoded = 0;
  #billed = 0;
  readonly #messages = new Map<string, number>();

  constructor(part: PartState, context: JobContext, options: CollectionOptions) {
    this.#part = part;
    this.#context = context;
    this.#options = options;
    this.#records = context.store.records(part);
  }

  /** The records of the part. */
  get records(): PartRecords {
    return this.#records;
  }

  /** Records whose result was seen. */
  get seen(): number {
    return this.#seen.size;
  }

  /** Whether the job only has results of other records. */
  get isForeign(): boolean {
    return this.foreign > 0 && this.#seen.size === 0;
  }

  /**
   * Whether results that should exist are missing. They may only be late, or hidden by a web page or a cut
   * download, and sending their records again would pay for them twice.
   */
  isDoubtful({ status, counts }: Job): boolean {
    if (this.#seen.size >= this.#records.indexes.length) return false;
    if (status === "completed" || this.unreadable > 0) return true;
    return counts !== undefined && this.#seen.size < counts.succeeded + counts.failed;
  }

  /**
   * Whether nothing that was read is a result, although the provider has, or may have, billed some. Records whose
   * results were the only ones missing in an earlier job are no reason to end the run.
   */
  isUnusable({ status, counts }: Job): boolean {
    if (this.#seen.size > 0) return false;
    if (this.#records.indexes.every((index) => this.#options.history.wasMissing(index))) {
      return false;
    }
    if (this.unreadable > 0 || this.foreign > 0) return true;
    if (status === "completed") return counts?.succeeded !== 0;
    return status === "failed" && (counts?.succeeded ?? 0) > 0;
  }

  /** What the answers that were read have used. */
  get charge(): Charge {
    const { model, endpoint } = this.#part;
    return { model, endpoint, usage: this.usage, cost: this.cost, requests: this.#billed };
  }

  /** The error message that most rows have. */
  get commonestMessage(): string {
    let [commonest, most] = ["", 0];
    for (const [message, n] of this.#messages) if (n > most) [commonest, most] = [message, n];
    return commonest;
  }

  /**
   * Reads all results and yields the outcomes of those that are new.
   *
   * @throws {FlexLLMError} if the download breaks off; call it again then
   */
  async *read(job: Job): AsyncGenerator<Outcome[], void> {
    const { client: { api, http }, stopping } = this.#context;
    const seen = new Set<number>();
    let group: { row: ProcessedRow; record: IndexedRecord }[] = [];
    this.foreign = 0;
    this.duplicates = 0;
    this.unreadable = 0;
    let size = 0;
    const parse = (text: string) => {
      size += text.length;
      return this.#parse(text);
    };
    const results = api.results(http, job, parse)[Symbol.asyncIterator]();
    // A server that never stops must not keep us reading.
    let rest = 3 * this.#records.indexes.length + 1000;
    try {
      while (true) {
        const step = await abortable(results.next(), stopping.signal);
        if (step.done) break;
        if (rest-- === 0) {
          throw new MalformedResponseError(`job ${job.id} has more results than it has rows`);
        }
        const row = step.value;
        const record = this.#match(row, seen);
        if (record === undefined) continue;
        if (row.kind === "not_run") {
          const outcome = this.#leave(record, row.reason);
          if (outcome !== undefined) yield [outcome];
          continue;
        }
        group.push({ row, record });
        if (group.length < GROUP && size < GROUP_SIZE) continue;
        yield await this.#outcomes(group);
        group = [];
        size = 0;
      }
    } catch (error) {
      // What was read is good, and must not be read again.
      if (group.length > 0) yield await this.#outcomes(group);
      throw error;
    } finally {
      // Not awaited: the connection may hang.
      void Promise.resolve(results.return?.()).catch(() => {});
    }
    if (group.length > 0) yield await this.#outcomes(group);
  }

  /** Handles the records without a result, and yields the outcomes of those that are given up. */
  settleMissing(job: Job): Outcome[] {
    const outcomes: Outcome[] = [];
    const isWhole = job.status === "completed";
    for (const index of this.#records.indexes) {
      if (this.#seen.has(index)) continue;
      if (this.#options.isDone(index)) {
        this.answered++;
        continue;
      }
      if (!isWhole) {
        const outcome = this.#leave(this.#records.get(index)!, job.status);
        if (outcome !== undefined) outcomes.push(outcome);
        continue;
      }
      this.missing++;
      const times = this.#options.history.missing(index);
      if (times < MAX_MISSING) {
        this.left.push(index);
        continue;
      }
      this.missing--;
      outcomes.push(this.reject(
        this.#records.get(index)!,
        new MalformedResponseError(`${times} jobs in a row returned no result for this record`),
      ));
    }
    return outcomes;
  }

  /** The outcome of a record that failed. */
  reject(record: IndexedRecord, error: FlexLLMError): Outcome {
    this.failed++;
    this.#messages.set(error.message, (this.#messages.get(error.message) ?? 0) + 1);
    const facts = collectedFacts(this.#head(record), { error });
    return { record, ok: false, error, facts, isCollected: true };
  }

  [Symbol.dispose](): void {
    this.#records[Symbol.dispose]();
  }

  /** Parses a line or a page, and notices what is neither. */
  #parse(text: string): unknown {
    try {
      const value = this.#context.client.parse(text);
      if (asObject(value) === undefined) this.unreadable++;
      return value;
    } catch (error) {
      this.unreadable++;
      throw error;
    }
  }

  /** Leaves a record that was not run to another job; its outcome if no job runs it. */
  #leave(record: IndexedRecord, reason: string): Outcome | undefined {
    const { index } = record;
    const times = this.#options.history.notRun(index);
    if (times >= MAX_NOT_RUN) {
      return this.reject(
        record,
        new MalformedResponseError(`${times} jobs in a row did not run this record (${reason})`),
      );
    }
    this.notRun++;
    this.reason = reason;
    this.left.push(index);
  }

  /** The record of a result; `undefined` if it is not wanted. */
  #match(row: RowResult, seen: Set<number>): IndexedRecord | undefined {
    const record = this.#records.find(row.id);
    if (record === undefined) {
      this.foreign++;
      return undefined;
    }
    const { index } = record;
    if (seen.has(index)) {
      this.duplicates++;
      return undefined;
    }
    seen.add(index);
    if (this.#seen.has(index)) return undefined;
    this.#seen.add(index);
    if (!this.#options.isDone(index)) return record;
    this.answered++;
    return undefined;
  }

  async #outcomes(
    group: readonly { row: ProcessedRow; record: IndexedRecord }[],
  ): Promise<Outcome[]> {
    const decoded = await Promise.all(group.map(({ row, record }) => this.#decode(row, record)));
    return decoded.filter((outcome) => outcome !== undefined);
  }

  async #decode(row: ProcessedRow, record: IndexedRecord): Promise<Outcome | undefined> {
    const { options, client } = this.#context;
    this.decoded++;
    try {
      const result = await client.decode(row, record, this.#part.model);
      this.answered++;
      this.#bill(result);
      const facts = collectedFacts(this.#head(record), { result });
      return { record, ok: true, result, facts, isCollected: true };
    } catch (cause) {
      const error = cause instanceof FlexLLMError ? cause : new InternalError(cause);
      const isAgain = isTemporary(row, error) &&
        this.#options.history.failed(record.index) <= (options.retryTimes ?? 3);
      if (isAgain) {
        this.temporary++;
        this.left.push(record.index);
        return undefined;
      }
      const billed = error instanceof SchemaMismatchError ? error.result : error.partial;
      if (billed !== undefined) this.#bill(billed);
      return this.reject(record, error);
    }
  }

  #bill({ cost, usage, cached }: { cost?: number | null; usage?: Usage | null; cached?: boolean }) {
    if (cached) return;
    this.#billed++;
    this.cost = cost === null || this.cost === null ? null : this.cost + (cost ?? 0);
    if (!usage) return;
    const { promptTokens = 0, completionTokens = 0, totalTokens = 0 } = this.usage ?? {};
    this.usage = {
      promptTokens: promptTokens + usage.promptTokens,
      completionTokens: completionTokens + usage.completionTokens,
      totalTokens: totalTokens + usage.totalTokens,
    };
  }

  #head({ index }: IndexedRecord): CollectedHead {
    const { submittedAt, plannedAt, model, endpoint } = this.#part;
    return { index, at: submittedAt ?? plannedAt, model, endpoint };
  }
}
