/**
 * The jobs and files of the mock's batch APIs, whatever their wire format.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { Json } from "../../json/json.ts";
import type { ServerError } from "../../protocols/serve.ts";
import type { BatchSettings } from "./batch_options.ts";
import { type Blob, Blobs } from "./blobs.ts";
import { type BatchFault, type BatchFaultName, hits } from "./fault_kinds.ts";
import { BATCH_FAULT_KINDS } from "./fault_kinds.ts";
import { type JobRecord, type JobState, stateAt } from "./job.ts";
import { Records } from "./records.ts";
import { type BatchRow, RowAnswers, type RowTotals, type SendRow } from "./row_answers.ts";

/** A file as it is stored. Times are in milliseconds since 1970. */
export interface FileRecord {
  id: string;
  api: string;
  owner: string;
  name: string;
  purpose: string;
  bytes: number;
  createdAt: number;
  expiresAt?: number;
  deletedAt?: number;
  /** For a file of results, which is made when it is read: its job, and which of the job's files it is. */
  results?: { job: string; kind: string };
  /** What the API stores. */
  details?: Json;
}

/** What {@link BatchCore.createJob} fills in by itself. */
type Filled = "number" | "createdAt" | "duration" | "expiresAt" | "faults";

/** A job to create. */
export interface NewJob extends Omit<JobRecord, Filled> {
  /** Milliseconds until it expires. @default 24 hours */
  window?: number;
}

const DAY = 86_400_000;
/** Longest wait for the answers of a job's rows, in milliseconds. */
const MAX_WAIT = 1000;

/** What the core needs from the rest of the mock. */
export interface CoreParts {
  settings: BatchSettings;
  /** Sends a row to the mock as a synchronous request, without injected faults. */
  sendRow: SendRow;
  /** Makes an error response in the format of the API that a request is for. */
  reject(request: Request, error: ServerError): Response;
  /** Reads a line of a job. */
  parseRow(line: unknown, index: number, job: JobRecord): BatchRow;
}

/** Jobs and files. */
export class BatchCore {
  readonly settings: BatchSettings;
  /** Makes an error response in the format of the API that a request is for. */
  readonly reject: CoreParts["reject"];
  readonly #parts: CoreParts;
  readonly #records: Records;
  readonly #blobs: Blobs;
  readonly #answers = new Map<string, RowAnswers>();
  readonly #polls = new Map<string, number>();
  #faults: readonly BatchFault[];
  #isClosed = false;

  private constructor(parts: CoreParts, records: Records) {
    this.settings = parts.settings;
    this.reject = parts.reject;
    this.#parts = parts;
    this.#records = records;
    this.#blobs = new Blobs(parts.settings.state);
    this.#faults = parts.settings.faults;
  }

  /**
   * Opens the state.
   *
   * @throws {ConfigurationError} if the state folder cannot be used
   */
  static async open(parts: CoreParts): Promise<BatchCore> {
    return new BatchCore(parts, await Records.open(parts.settings.state));
  }

  /** Milliseconds since 1970, by the mock's clock. */
  now(): number {
    return Date.now() + (this.#records.get<number>("clock", "") ?? 0);
  }

  /** Moves the clock forward. */
  advance(milliseconds: number): void {
    this.#records.put("clock", "", (this.#records.get<number>("clock", "") ?? 0) + milliseconds);
  }

  /** A new id: `prefix` and 24 hexadecimal digits. */
  newId(prefix: string): string {
    return prefix + randomBytes(12).toString("hex");
  }

  /** The workspace of a request: the key, hashed, if each key has one. */
  ownerOf({ headers, url }: Request): string {
    if (!this.settings.hasWorkspaces) return "";
    const key = headers.get("x-api-key") ?? headers.get("x-goog-api-key") ??
      headers.get("api-key") ?? /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "")?.[1] ??
      new URL(url).searchParams.get("key") ?? "";
    return createHash("sha256").update(key.trim()).digest("hex").slice(0, 16);
  }

  // Faults

  /** The faults. */
  get faults(): readonly BatchFault[] {
    return this.#faults;
  }

  /** Replaces the faults, and counts jobs and requests from the start. */
  setFaults(faults: readonly BatchFault[]): void {
    this.#faults = faults;
    for (const name of Object.keys(BATCH_FAULT_KINDS)) {
      if (this.#records.get("fault", name)) this.#records.put("fault", name, 0);
    }
  }

  /**
   * Counts a job or request that a kind of fault can hit. Returns the fault's value if it does.
   *
   * The count survives a restart: a fault of the first create does not hit the first one after it.
   */
  takeFault(kind: BatchFaultName): number | undefined {
    const faults = this.#faults.filter((fault) => fault.kind === kind);
    if (faults.length === 0) return undefined;
    const count = (this.#records.get<number>("fault", kind) ?? 0) + 1;
    this.#records.put("fault", kind, count);
    return faults.find((fault) => hits(fault, count))?.value;
  }

  #jobFaults(): JobRecord["faults"] {
    const faults: JobRecord["faults"] = {};
    for (const kind of new Set(this.#faults.map(({ kind }) => kind))) {
      if (BATCH_FAULT_KINDS[kind].per !== "job") continue;
      const value = this.takeFault(kind);
      if (value !== undefined) faults[kind] = value;
    }
    return faults;
  }

  // Files

  /**
   * Stores the content of a file, and then its record.
   *
   * @param describe makes the record; called once the content has been read
   */
  async storeFile(
    id: string,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    describe: () => Omit<FileRecord, "id" | "bytes" | "createdAt">,
  ): Promise<FileRecord> {
    const writer = this.#blobs.create(id);
    let file: Omit<FileRecord, "id" | "bytes" | "createdAt">;
    try {
      for await (const bytes of content) writer.write(bytes);
      file = describe();
    } catch (error) {
      writer.abort();
      throw error;
    }
    const record = { ...file, id, bytes: writer.finish().size, createdAt: this.now() };
    this.putFile(record);
    return record;
  }

  /** Stores or replaces the record of a file. */
  putFile(file: FileRecord): void {
    this.#records.put("file", file.id, file);
  }

  /** A file that the workspace has and that is not deleted or expired. */
  file(id: string, api: string, owner: string): FileRecord | undefined {
    const file = this.#records.get<FileRecord>("file", id);
    return file && this.#isVisible(file, api, owner) ? file : undefined;
  }

  /** The files of a workspace, newest first. */
  files(api: string, owner: string): FileRecord[] {
    return this.#records.all<FileRecord>("file")
      .filter((file) => this.#isVisible(file, api, owner)).reverse();
  }

  #isVisible(file: FileRecord, api: string, owner: string): boolean {
    const { expiresAt = Infinity } = file;
    return file.api === api && file.owner === owner && file.deletedAt === undefined &&
      expiresAt > this.now();
  }

  /** Deletes a file. Jobs that were created from it still have their rows. */
  deleteFile(file: FileRecord): void {
    this.putFile({ ...file, deletedAt: this.now() });
  }

  /** The content of a stored file or of a job's input. */
  content(id: string, bytes: number): Blob {
    return this.#blobs.get(id, bytes);
  }

  // Jobs

  /**
   * Stores a job. If its model has too many tokens in its queue, or a fault says so, its validation will
   * fail.
   */
  createJob({ window = DAY, ...job }: NewJob): JobRecord {
    const createdAt = this.now();
    const { duration } = this.settings;
    const faults = this.#jobFaults();
    const record: JobRecord = {
      ...job,
      number: this.#records.all("job").length + 1,
      createdAt,
      duration,
      // A job that is due to expire says so from the start.
      expiresAt: createdAt + (faults.expire !== undefined ? Math.max(duration, 1000) : window),
      faults,
    };
    record.problem ??= this.#problem(record);
    this.putJob(record);
    this.#startEvaluation(record);
    return record;
  }

  #problem({ faults, model, tokens }: JobRecord): JobRecord["problem"] {
    const { invalid_line: line } = faults;
    if (line !== undefined) {
      const message = `This line is not parseable as valid JSON.`;
      return { code: "invalid_json_line", message, line };
    }
    const { queuedTokens } = this.settings;
    const queued = queuedTokens === Infinity ? 0 : this.#records.all<JobRecord>("job")
      .filter((job) => job.model === model && !this.#stateOf(job).isFinal)
      .reduce((sum, job) => sum + job.tokens, 0);
    if (faults.token_limit === undefined && queued + tokens <= queuedTokens) return undefined;
    const limit = queuedTokens === Infinity ? 90_000 : queuedTokens;
    return {
      code: "token_limit_exceeded",
      message:
        `Enqueued token limit reached for ${model ?? "this model"} in organization org-mock.` +
        ` Limit: ${limit} enqueued tokens. Please try again once some in_progress batches have been` +
        " completed.",
    };
  }

  /** Stores a changed job. */
  putJob(job: JobRecord): void {
    this.#records.put("job", job.id, job);
  }

  /** Adds rows to the input of a job, for APIs that create it without; forgets the answers so far. */
  replaceInput(job: JobRecord): void {
    this.#answers.delete(job.id);
    this.putJob(job);
    this.#startEvaluation(job);
  }

  #startEvaluation(job: JobRecord): void {
    if (job.problem !== undefined) return;
    this.#answersOf(job).evaluate().then(() => {
      const current = this.#records.get<JobRecord>("job", job.id);
      // Rows may have been added meanwhile.
      if (current?.rows !== job.rows || current.rows === 0 || this.#isClosed) return;
      this.putJob({ ...current, isEvaluated: true });
      // A failure is reported where the answers are awaited.
    }).catch(() => {});
  }

  /** A job that the workspace has, that is not deleted, and that no fault hides. */
  job(id: string, api: string, owner: string): JobRecord | undefined {
    const job = this.#records.get<JobRecord>("job", id);
    if (job?.api !== api || job.owner !== owner || job.deletedAt !== undefined) return undefined;
    const hidden = (job.faults.hidden ?? 0) * 1000;
    return this.now() < job.createdAt + hidden ? undefined : job;
  }

  /** The jobs of a workspace, newest first, without those that a fault keeps out of the list. */
  jobs(api: string, owner: string): JobRecord[] {
    return this.#records.all<JobRecord>("job").filter((job) =>
      job.api === api && job.owner === owner && job.deletedAt === undefined &&
      this.now() >= job.createdAt + (job.faults.unlisted ?? 0) * 1000
    ).reverse();
  }

  /** All jobs of all workspaces, oldest first, deleted ones included. */
  allJobs(): JobRecord[] {
    return this.#records.all<JobRecord>("job");
  }

  /** Requests the cancellation of a job that has not ended. */
  async cancel(job: JobRecord): Promise<JobRecord> {
    const { isFinal, done } = await this.state(job);
    if (isFinal || job.cancelledAt !== undefined) return job;
    const cancelled = { ...job, cancelledAt: this.now(), doneAtCancel: done };
    this.putJob(cancelled);
    return cancelled;
  }

  /** Deletes a job. The ledger still has it. */
  deleteJob(job: JobRecord): void {
    this.putJob({ ...job, deletedAt: this.now() });
  }

  /**
   * The state of a job. Waits a moment for the answers of its rows; after a restart, for as long as it takes,
   * so that no job that had ended runs again.
   */
  async state(job: JobRecord): Promise<JobState> {
    const answers = this.#answersOf(job);
    if (job.isEvaluated) await answers.evaluate();
    else if (answers.evaluated < job.rows && job.problem === undefined) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const patience = new Promise((resolve) => timer = setTimeout(resolve, MAX_WAIT));
      await Promise.race([answers.evaluate(), patience]);
      clearTimeout(timer);
    }
    return this.#stateOf(job);
  }

  #stateOf(job: JobRecord): JobState {
    return stateAt(job, this.now(), this.#answersOf(job).evaluated);
  }

  /** Totals of the rows that are done. */
  totals(job: JobRecord, state: JobState): RowTotals {
    return this.#answersOf(job).totals(state.done);
  }

  /** The totals that a poll reports: with the fault `counts_back`, every second one is lower. */
  reportedTotals(job: JobRecord, state: JobState): RowTotals {
    const totals = this.totals(job, state);
    if (job.faults.counts_back === undefined || state.isFinal || state.done === 0) return totals;
    const polls = (this.#polls.get(job.id) ?? 0) + 1;
    this.#polls.set(job.id, polls);
    if (polls % 2 === 1) return totals;
    return { ...totals, succeeded: totals.succeeded >> 1, failed: totals.failed >> 1 };
  }

  /** The rows of a job and their answers, for {@link results} and the ledger. */
  answersOf(job: JobRecord): RowAnswers {
    return this.#answersOf(job);
  }

  #answersOf(job: JobRecord): RowAnswers {
    let answers = this.#answers.get(job.id);
    if (answers === undefined) {
      answers = new RowAnswers(
        job,
        this.#blobs.get(job.input, job.inputBytes),
        this.settings.seed,
        (line, index) => this.#parts.parseRow(line, index, job),
        this.#parts.sendRow,
      );
      this.#answers.set(job.id, answers);
    }
    return answers;
  }

  /** Reads any other record of an API. */
  record<T>(kind: string, id: string): T | undefined {
    return this.#records.get<T>(kind, id);
  }

  /** Stores any other record of an API. */
  putRecord(kind: string, id: string, value: unknown): void {
    this.#records.put(kind, id, value);
  }

  /** Closes the state. */
  close(): void {
    this.#isClosed = true;
    this.#records.close();
  }
}
