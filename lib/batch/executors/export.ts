/**
 * Executes the records of a batch by writing them to files that the user takes elsewhere, such as to
 * `vllm run-batch`. Only records that the cache answers, or that are invalid, have an outcome.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Executor, IndexedRecord, Outcome } from "../executor.ts";
import {
  checkExportable,
  createExportFolder,
  encodeExportedRow,
  exportedFile,
  isExported,
} from "../jobs/export_part.ts";
import { HeldRecords } from "../jobs/held_records.ts";
import type { JobClient, PreparedRow } from "../jobs/job_client.ts";
import type { JobView } from "../jobs/job_view.ts";
import { holdsRows, type PartState } from "../jobs/part_events.ts";
import type { PartDraft, PartStore } from "../jobs/part_store.ts";
import { exportView } from "../jobs/export_view.ts";
import { nextTurn } from "../../runtime/next_turn.ts";
import { recordError } from "../record_problem.ts";

/** Maximum rows of a file; OpenAI's limit, which other runners share. */
const MAX_ROWS = 50_000;
/** Records that are prepared at the same time: attachments may have to be downloaded. */
const WINDOW = 32;

/** The options of an {@link ExportExecutor}. */
export interface ExportOptions {
  client: Pick<JobClient, "prepare" | "endpoint">;
  /** Where the parts are stored. The caller closes it. */
  store: PartStore;
  /** The folder for the files. */
  folder: string;
  /** The name of the model in the command; only if the batch has several. */
  requestedModel?: string;
  /**
   * Whether to export rows again that were exported and not imported.
   *
   * @default false
   */
  resend?: boolean;
  /**
   * Whether a record may differ from the one that was exported.
   *
   * @default false
   */
  rerunChanged?: boolean;
  /**
   * Maximum rows of a file, up to 50,000.
   *
   * @default 50,000
   */
  rows?: number;
  /** Called when a file was written. */
  onChange?: () => void;
}

/** An exported file. */
export interface ExportedFile {
  path: string;
  /** The model whose requests it has. */
  model: string;
  rows: number;
  /**
   * `new`: written for records of this run. `restored`: of an earlier run, and written again because it was
   * missing in the folder. `existing`: of an earlier run, and still there.
   */
  status: "new" | "restored" | "existing";
}

/** Writes records to files. */
export class ExportExecutor implements Executor {
  readonly concurrency = 1;
  readonly retries = 0;
  readonly hasHealthyEndpoint = true;
  /** The files in the folder whose results are not imported yet, old ones first. */
  readonly files: ExportedFile[] = [];
  readonly #options: ExportOptions;
  /** The part that is being filled, for each model. */
  readonly #drafts = new Map<string, PartDraft>();
  #elsewhere = 0;
  #isStopped = false;

  /** @param options where the records go */
  constructor(options: ExportOptions) {
    this.#options = options;
  }

  /** Rows of jobs at a provider, which are not exported. */
  get elsewhere(): number {
    return this.#elsewhere;
  }

  /** The exported parts, for reports. */
  views(): JobView[] {
    return this.#parts().map((part) => exportView(part));
  }

  /**
   * Writes the files. Those of an earlier run that are missing in the folder are written again.
   *
   * @throws {ConfigurationError} if the requests have another format than the files, or there cannot be a folder
   * @throws {JournalError} if a file cannot be written
   * @throws {JournalMismatchError} if a record has changed since it was exported
   */
  async *run(
    records: Iterable<IndexedRecord> | AsyncIterable<IndexedRecord>,
  ): AsyncGenerator<Outcome[], void, void> {
    const { folder, store, resend, requestedModel, rerunChanged } = this.#options;
    createExportFolder(folder);
    if (resend) this.#dropExported();
    for (const part of this.#parts()) this.#restore(part);
    using held = new HeldRecords(store, requestedModel);
    try {
      let window: IndexedRecord[] = [];
      for await (const record of records) {
        if (this.#isStopped) return;
        const part = held.partOf(record, rerunChanged);
        if (part !== undefined) {
          if (part.state.api !== "export") this.#elsewhere++;
          continue;
        }
        window.push(record);
        if (window.length < WINDOW) continue;
        yield* this.#add(window);
        window = [];
      }
      yield* this.#add(window);
      if (this.#isStopped) return;
      for (const [model, draft] of this.#drafts) this.#plan(model, draft);
    } finally {
      for (const draft of this.#drafts.values()) draft.discard();
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  abort(): void {
    this.stop();
  }

  #parts(): PartState[] {
    const { store, requestedModel } = this.#options;
    return store.parts.filter((part) =>
      part.api === "export" && holdsRows(part) && part.requested_model === requestedModel
    );
  }

  #dropExported(): void {
    const { store } = this.#options;
    for (const { part } of this.#parts()) {
      store.release(store.log(part, { type: "dropped", why: "exported again" }));
    }
  }

  /** Adds records to files, and yields the outcomes of those that need no row. */
  async *#add(records: readonly IndexedRecord[]): AsyncGenerator<Outcome[], void, void> {
    const prepared = await Promise.all(records.map((record) => this.#prepare(record)));
    await nextTurn();
    const outcomes: Outcome[] = [];
    for (const entry of prepared) {
      if (this.#isStopped) break;
      if ("row" in entry) this.#addRow(entry.record, entry.row);
      else outcomes.push(entry);
    }
    if (outcomes.length > 0) yield outcomes;
  }

  async #prepare(
    record: IndexedRecord,
  ): Promise<Outcome | { record: IndexedRecord; row: PreparedRow }> {
    try {
      const prepared = await this.#options.client.prepare(record);
      return "cached" in prepared
        ? { record, ok: true, result: prepared.cached }
        : { record, row: prepared };
    } catch (error) {
      return { record, ok: false, error: recordError(record, error) };
    }
  }

  #addRow(record: IndexedRecord, row: PreparedRow): void {
    checkExportable(row.request);
    const { store, rows = MAX_ROWS } = this.#options;
    const { model } = row.request;
    const draft = this.#drafts.get(model) ?? store.draft();
    this.#drafts.set(model, draft);
    const id = draft.rowId(record, row);
    // Nobody is billed for a file.
    draft.add(record, { ...row, maxCost: 0 }, id, encodeExportedRow(id, row.request));
    if (draft.rows >= Math.min(rows, MAX_ROWS)) this.#plan(model, draft);
  }

  #plan(model: string, draft: PartDraft): void {
    this.#drafts.delete(model);
    const { client: { endpoint }, requestedModel } = this.#options;
    const part = draft.plan({
      api: "export",
      endpoint,
      key: "",
      model,
      path: "/chat/completions",
      ...requestedModel === undefined ? {} : { requested_model: requestedModel },
    });
    this.#write(part, "new");
  }

  /** Writes the file of an earlier part unless it exists. A killed run may only have planned it. */
  #restore(part: PartState): void {
    const path = exportedFile(this.#options.folder, part.part);
    if (part.phase !== "exported" || !isExported(path)) return this.#write(part, "restored");
    this.files.push({ path, model: part.model, rows: part.rows, status: "existing" });
  }

  #write(part: PartState, status: "new" | "restored"): void {
    const { store, folder, onChange } = this.#options;
    const path = exportedFile(folder, part.part);
    store.exportRows(part, path);
    store.log(part.part, { type: "exported", file: resolve(path) });
    this.files.push({ path, model: part.model, rows: part.rows, status });
    onChange?.();
  }
}
