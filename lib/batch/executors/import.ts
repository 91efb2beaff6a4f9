/**
 * Executes exported records by reading the result files that the user brings back. Other records have no outcome.
 *
 * @module
 */
import type { RowResult } from "../../batch_api/batch_api.ts";
import { ConfigurationError, InvalidInputError } from "../../errors.ts";
import type { Executor, IndexedRecord, Outcome } from "../executor.ts";
import { exportView } from "../jobs/export_view.ts";
import { type HeldPart, HeldRecords } from "../jobs/held_records.ts";
import { readResultFiles } from "../jobs/import_files.ts";
import { emptyImportReport, importNotes, type ImportReport } from "../jobs/import_report.ts";
import type { JobClient } from "../jobs/job_client.ts";
import type { JobView } from "../jobs/job_view.ts";
import type { PartStore } from "../jobs/part_store.ts";
import { parseRowId } from "../jobs/row_id.ts";
import { nextTurn } from "../../runtime/next_turn.ts";
import { recordError } from "../record_problem.ts";

/** Results that are decoded at the same time, and whose outcomes are written together. */
const GROUP = 32;
/** Records that are checked before signals are handled. */
const CHECKED = 256;

/** The options of an {@link ImportExecutor}. */
export interface ImportOptions {
  client: Pick<JobClient, "decode" | "parse" | "report">;
  /** Where the parts are stored. The caller closes it. */
  store: PartStore;
  /** Result files, and folders that contain them. */
  paths: readonly string[];
  /** The name of the model in the command; only if the batch has several. */
  requestedModel?: string;
  /**
   * Whether the result file has a successful result of a record.
   *
   * @default those of the exported records that the run does not pull have one
   */
  isDone?: (index: number) => boolean;
  /**
   * Whether a record may differ from the one that was exported.
   *
   * @default false
   */
  rerunChanged?: boolean;
  /** Called with messages for the user. */
  onNote?: (text: string) => void;
  /** Called when a part is complete. */
  onChange?: () => void;
}

/** A result that was run, and what it belongs to. */
interface ImportedRow {
  result: Extract<RowResult, { kind: "answer" | "error" }>;
  part: ImportedPart;
  record: IndexedRecord;
}

/** An exported part, and what this run has read of it. */
interface ImportedPart extends HeldPart {
  /** For each row: whether it is settled. */
  settled: Set<number>;
  failed: number;
  cost: number | null;
  isComplete: boolean;
}

/** Reads results of exported records from files. */
export class ImportExecutor implements Executor {
  readonly concurrency = 1;
  readonly retries = 0;
  readonly hasHealthyEndpoint = true;
  /** What was found so far. */
  readonly report: ImportReport = emptyImportReport();
  readonly #options: ImportOptions;
  readonly #parts = new Map<string, ImportedPart>();
  #isStopped = false;

  /** @param options where the results are */
  constructor(options: ImportOptions) {
    this.#options = options;
  }

  /** The exported parts, for reports. */
  views(): JobView[] {
    return Array.from(this.#parts.values(), ({ state, settled, isComplete }) => {
      const shown = isComplete ? "imported" : settled.size > 0 ? "importing" : "exported";
      return exportView(state, shown);
    });
  }

  /**
   * Reads all records first, to see whether one has changed, then the result files.
   *
   * @throws {ConfigurationError} if nothing was exported
   * @throws {InvalidInputError} if a file cannot be read or has no results, or no result belongs to an exported row
   * @throws {JournalMismatchError} if a record has changed since it was exported
   */
  async *run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<Outcome[], void, void> {
    const { store, requestedModel, rerunChanged } = this.#options;
    this.#checkExported();
    using held = new HeldRecords(store, requestedModel);
    for (const part of held.parts.filter(({ state }) => state.api === "export")) {
      this.#parts.set(part.state.part, {
        ...part,
        settled: new Set(),
        failed: 0,
        cost: 0,
        isComplete: false,
      });
    }
    const pending = new Set<number>();
    let pulled = 0;
    for await (const record of records) {
      if (++pulled % CHECKED === 0) await nextTurn();
      if (this.#isStopped) return;
      if (held.partOf(record, rerunChanged) !== undefined) pending.add(record.index);
    }
    const isDone = this.#options.isDone ?? ((index: number) => !pending.has(index));
    yield* this.#import(isDone);
    this.#finish(isDone);
    if (!this.#isStopped) this.#report();
  }

  stop(): void {
    this.#isStopped = true;
  }

  abort(): void {
    this.stop();
  }

  #checkExported(): void {
    const { parts } = this.#options.store;
    if (parts.some(({ api }) => api === "export")) return;
    throw new ConfigurationError(
      "nothing was exported for this result file, so there is no import",
      {
        hint: "Export the records first: the same command with --export DIR instead of --import.",
      },
    );
  }

  /** Answers first: a row that failed in one file may be answered in another. */
  async *#import(isDone: (index: number) => boolean): AsyncGenerator<Outcome[], void, void> {
    const hasErrors = { value: false };
    yield* this.#results(isDone, (result) => {
      hasErrors.value ||= result.kind === "error";
      return result.kind === "answer";
    }, true);
    if (hasErrors.value) yield* this.#results(isDone, ({ kind }) => kind === "error", false);
  }

  /** Yields the outcomes of the results that `isWanted`. Only the first pass counts what else it finds. */
  async *#results(
    isDone: (index: number) => boolean,
    isWanted: (result: RowResult) => boolean,
    isFirstPass: boolean,
  ): AsyncGenerator<Outcome[], void, void> {
    const { paths, client } = this.#options;
    let group: ImportedRow[] = [];
    const lines = readResultFiles(paths, (text) => client.parse(text));
    for (const { location, result, problem } of lines) {
      if (this.#isStopped) break;
      if (result === undefined) {
        if (isFirstPass && this.report.unreadable.lines++ === 0) {
          this.report.unreadable.first = `${location}: ${problem}`;
        }
        continue;
      }
      if (isFirstPass && result.kind === "not_run") this.report.notRun++;
      const row = this.#rowOf(result, isFirstPass);
      if (row === undefined || !isWanted(result) || result.kind === "not_run") continue;
      const { part, record } = row;
      if (part.settled.has(record.index)) {
        // An error next to an answer is an earlier attempt.
        if (isFirstPass) this.report.duplicates++;
        continue;
      }
      part.settled.add(record.index);
      if (isDone(record.index)) {
        this.report.alreadyDone++;
        continue;
      }
      group.push({ result, part, record });
      if (group.length < GROUP) continue;
      yield await this.#decode(group);
      group = [];
      await nextTurn();
    }
    if (group.length > 0) yield await this.#decode(group);
  }

  /** The part and the record of a result; `undefined` if it is not for this model, or unknown. */
  #rowOf(
    result: RowResult,
    isCounted: boolean,
  ): { part: ImportedPart; record: IndexedRecord } | undefined {
    const { report } = this;
    const nonce = parseRowId(result.id)?.nonce ?? "";
    const part = this.#parts.get(nonce);
    const record = part?.records.find(result.id);
    if (part !== undefined && record !== undefined) return { part, record };
    if (!isCounted) return undefined;
    const state = this.#options.store.parts.find(({ part }) => part === nonce);
    if (part !== undefined || state === undefined) report.unknown++;
    // The results of other models have an executor of their own.
    else if (state.requested_model === this.#options.requestedModel) report.alreadyImported++;
    return undefined;
  }

  async #decode(rows: readonly ImportedRow[]): Promise<Outcome[]> {
    const outcomes = await Promise.all(rows.map((row) => this.#outcome(row)));
    const { client } = this.#options;
    for (const outcome of outcomes) client.report?.(outcome);
    return outcomes;
  }

  async #outcome({ result, part, record }: ImportedRow): Promise<Outcome> {
    try {
      const answer = await this.#options.client.decode(result, record, part.state.model);
      this.report.answered++;
      part.cost = part.cost === null || answer.cost === null ? null : part.cost + answer.cost;
      return { record, ok: true, result: answer, isCollected: true };
    } catch (error) {
      part.failed++;
      this.report.failed++;
      return { record, ok: false, error: recordError(record, error), isCollected: true };
    }
  }

  /** Logs the parts that are complete, now that their results are in the result file. */
  #finish(isDone: (index: number) => boolean): void {
    const { store, onChange } = this.#options;
    for (const part of this.#parts.values()) {
      const { state, records, settled, failed, cost } = part;
      const left = records.indexes.filter((index) => !settled.has(index) && !isDone(index)).length;
      this.report.left += left;
      part.isComplete = left === 0;
      if (left > 0) continue;
      // Also those that an earlier import has answered.
      const answered = records.indexes.length - failed;
      const counts = { answered, failed, left, missing: 0, cost };
      store.release(store.log(state.part, { type: "collected", ...counts }));
      onChange?.();
    }
  }

  /** @throws {InvalidInputError} if no result belongs to an exported row */
  #report(): void {
    const { requestedModel, onNote } = this.#options;
    const { answered, failed, alreadyDone, alreadyImported, unknown } = this.report;
    const isUseless = answered + failed + alreadyDone + alreadyImported === 0 && unknown > 0;
    if (isUseless && requestedModel === undefined) {
      throw new InvalidInputError("none of the imported results belongs to this result file", {
        hint: "Import the results of the files that --export wrote for the same -o; the " +
          '"custom_id" of each line must stay as it was.',
      });
    }
    for (const note of importNotes(this.report)) onNote?.(note);
  }
}
