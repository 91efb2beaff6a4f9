/**
 * Executes the records of a batch by writing them to files that the user takes elsewhere, such as to
 * `vllm run-batch`. Only records that the cache answers, or that are invalid, have an outcome.
 *
 * @module
 */
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
import { recordError } from "../record_problem.ts";

/** Maximum rows of a file; OpenAI's limit, which other runners share. */
const MAX_ROWS = 50_000;

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
   * Maximum rows of a file.
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
      for await (const record of records) {
        if (this.#isStopped) return;
        const part = held.partOf(record, rerunChanged);
        if (part !== undefined) {
          if (part.state.api !== "export") this.#elsewhere++;
          continue;
        }
        const outcome = await this.#add(record);
        if (outcome !== undefined) yield [outcome];
      }
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

  /** Adds a record to a file, or returns its outcome. */
  async #add(record: IndexedRecord): Promise<Outcome | undefined> {
    let prepared: { cached: Outcome & { ok: true } } | PreparedRow;
    try {
      const row = await this.#options.client.prepare(record);
      prepared = "cached" in row ? { cached: { record, ok: true, result: row.cached } } : row;
    } catch (error) {
      return { record, ok: false, error: recordError(record, error) };
    }
    if ("cached" in prepared) return prepared.cached;
    checkExportable(prepared.request);
    const { model } = prepared.request;
    let draft = this.#drafts.get(model);
    if (draft === undefined) {
      draft = this.#options.store.draft();
      this.#drafts.set(model, draft);
    }
    const id = draft.rowId(record, prepared);
    // Nobody is billed for a file.
    draft.add(record, { ...prepared, maxCost: 0 }, id, encodeExportedRow(id, prepared.request));
    if (draft.rows === (this.#options.rows ?? MAX_ROWS)) this.#plan(model, draft);
    return undefined;
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

  /** Writes the file of an earlier part, unless it is there. A killed run may have planned it only. */
  #restore(part: PartState): void {
    const path = exportedFile(this.#options.folder, part.part);
    if (part.phase !== "exported" || !isExported(path)) return this.#write(part, "restored");
    this.files.push({ path, model: part.model, rows: part.rows, status: "existing" });
  }

  #write(part: PartState, status: "new" | "restored"): void {
    const { store, folder, onChange } = this.#options;
    const path = exportedFile(folder, part.part);
    store.exportRows(part, path);
    store.log(part.part, { type: "exported", file: path });
    this.files.push({ path, model: part.model, rows: part.rows, status });
    onChange?.();
  }
}
