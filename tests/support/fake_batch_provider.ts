/** A provider of batch jobs in memory, which survives the death of its client and counts what it bills. */
import type {
  BatchApi,
  Job,
  JobInput,
  JobProblem,
  JobStatus,
  RowResult,
} from "../../lib/batch_api/batch_api.ts";
import type { BatchHttp } from "../../lib/batch_api/batch_http.ts";
import { HttpError } from "../../lib/errors.ts";

/** The calls of a batch API that a test can intercept. */
export type Call =
  | "upload"
  | "create"
  | "fill"
  | "find"
  | "get"
  | "results"
  | "cancel"
  | "clean";

/** What happens to one row: `lost` rows are billed and have no result. */
export type Fate = "answer" | "expired" | "missing" | "lost" | { error: number };

interface FakeJob {
  id: string;
  createdAt: number;
  nonce: string;
  model: string;
  inputFile?: string;
  /** The number of rows that the create announced. */
  expected: number;
  rows: string[];
  problems?: JobProblem[];
  cancelledAt?: number;
  /** Final once it is set. */
  results?: RowResult[];
  status?: JobStatus;
}

export interface FakeProviderOptions {
  foundBy: BatchApi["foundBy"];
  /** Whether rows are added after the create. */
  fills?: boolean;
  now: () => number;
  limits?: Partial<BatchApi["limits"]>;
}

/** The index in a row id. */
export function indexOf(id: string): number {
  return Number(id.split("_")[1]);
}

const HOUR = 3_600_000;

export class FakeProvider {
  readonly #options: FakeProviderOptions;
  readonly jobs = new Map<string, FakeJob>();
  readonly files = new Map<string, string[]>();
  /** How often each index was run and billed. */
  readonly billed = new Map<number, number>();
  readonly calls: Call[] = [];
  readonly cleaned: string[] = [];
  /** Seconds that a job validates, and runs in all. */
  validates = 20;
  runs = 300;
  /** Milliseconds after which a job expires. */
  expires = 24 * HOUR;
  /** Seconds after which a created job is listed. */
  listLag = 0;
  /** Milliseconds by which its clock is ahead. */
  clockOffset = 0;
  /** Called before and after the effect of each call; throws or waits. */
  before: (call: Call, n: number) => Promise<void> | void = () => {};
  after: (call: Call, n: number) => Promise<void> | void = () => {};
  /** Decides about a row when its job ends; `times` counts its runs from 1. */
  fate: (index: number, times: number, job: FakeJob) => Fate = () => "answer";
  /** Problems of a job with these rows, which then fails. */
  validate: (rows: readonly string[], job: FakeJob) => JobProblem[] | undefined = () => undefined;
  /** Changes what a job returns. */
  results: (rows: RowResult[], job: FakeJob) => RowResult[] = (rows) => rows;
  /** Rows after which a download breaks off, once. */
  cutAfter: number | undefined;

  constructor(options: FakeProviderOptions) {
    this.#options = options;
  }

  /** How often a call was made. */
  count(call: Call): number {
    return this.calls.filter((name) => name === call).length;
  }

  /** Adds a job of somebody else. */
  addForeign(rows: string[], fields: Partial<FakeJob> = {}): string {
    const id = `job_${this.jobs.size + 1}`;
    const createdAt = this.#options.now() + this.clockOffset;
    this.jobs.set(id, {
      id,
      createdAt,
      nonce: "zzzzzzzzzz",
      model: "m",
      rows,
      expected: rows.length,
      ...fields,
    });
    return id;
  }

  api(): BatchApi {
    const { foundBy, fills = false, limits } = this.#options;
    const call = this.#call.bind(this);
    const api: BatchApi = {
      name: "openai",
      foundBy,
      limits: { rows: 1000, bytes: 1e6, jobs: 10, ...limits },
      poll: { first: 15, longest: 300 },
      encodeRow: (id, { body }) => JSON.stringify({ id, body }),
      create: (_http, input) => call("create", () => this.#create(input)),
      find: (_http, input, since) => call("find", () => this.#find(input, since)),
      get: (_http, id) => call("get", () => this.#get(id)),
      results: (_http, job) => this.#results(job),
      cancel: (_http, id) =>
        call("cancel", () => {
          this.#job(id).cancelledAt ??= this.#options.now();
        }),
      clean: (_http, job) => call("clean", () => void this.cleaned.push(job.id)),
    };
    if (fills) {
      api.fill = (_http, job, input) =>
        call("fill", async () => {
          this.#job(job.id).rows = await rowIds(input);
        });
    }
    if (foundBy === "file") {
      api.upload = (_http, input) =>
        call("upload", async () => {
          const file = `file_${this.files.size + 1}`;
          this.files.set(file, await rowIds(input));
          return { file };
        });
    }
    return api;
  }

  async #call<T>(name: Call, effect: () => T | Promise<T>): Promise<T> {
    const n = this.calls.push(name);
    await this.before(name, n);
    const result = await effect();
    await this.after(name, n);
    return result;
  }

  async #create(input: JobInput): Promise<Job> {
    const { foundBy, fills, now } = this.#options;
    const id = foundBy === "id" ? `job-${input.nonce}` : `job_${this.jobs.size + 1}`;
    if (this.jobs.has(id)) throw new HttpError("exists already", { status: 409 });
    const rows = foundBy === "file"
      ? this.files.get(input.uploaded!.file)!
      : fills
      ? []
      : await rowIds(input);
    const job: FakeJob = {
      id,
      createdAt: now() + this.clockOffset,
      nonce: input.nonce,
      model: input.model,
      inputFile: input.uploaded?.file,
      rows,
      expected: input.rows,
    };
    this.jobs.set(id, job);
    return this.#view(job);
  }

  #find({ nonce, uploaded }: JobInput, since: number): Job[] {
    const { foundBy, now } = this.#options;
    return [...this.jobs.values()].filter((job) => {
      if (job.createdAt - this.clockOffset + this.listLag * 1000 > now()) return false;
      if (foundBy === "file") return job.inputFile === uploaded?.file;
      if (foundBy === "nothing") return job.createdAt >= since;
      return job.nonce === nonce;
    }).map((job) => this.#view(job));
  }

  #get(id: string): Job {
    return this.#view(this.#job(id));
  }

  #job(id: string): FakeJob {
    const job = this.jobs.get(id);
    if (job === undefined) throw new HttpError("no such batch", { status: 404 });
    return job;
  }

  async *#results({ id }: Job): AsyncGenerator<RowResult> {
    await this.#call("results", () => {});
    const job = this.#job(id);
    const rows = this.results(job.results ?? [], job);
    for (const [i, row] of rows.entries()) {
      if (this.cutAfter === i) {
        this.cutAfter = undefined;
        throw new HttpError("connection reset", { status: 502 });
      }
      yield row;
    }
  }

  #view(job: FakeJob): Job {
    this.#advance(job);
    const { foundBy } = this.#options;
    return {
      id: job.id,
      status: job.status!,
      createdAt: job.createdAt,
      expiresAt: job.createdAt + this.expires,
      rows: job.rows.length,
      model: job.model,
      problems: job.problems,
      inputFile: job.inputFile,
      ...(foundBy === "label" || foundBy === "id" ? { nonce: job.nonce } : {}),
    };
  }

  /** Lets all jobs end, also those that nobody knows. */
  finish(): void {
    for (const job of this.jobs.values()) this.#advance(job, Infinity);
  }

  /** Lets the time pass for a job. */
  #advance(
    job: FakeJob,
    age = (this.#options.now() + this.clockOffset - job.createdAt) / 1000,
  ): void {
    if (job.results !== undefined) return;
    job.problems ??= this.validate(job.rows, job);
    if (job.problems !== undefined && age >= this.validates) {
      job.status = "failed";
      job.results = [];
      return;
    }
    if (job.cancelledAt !== undefined) {
      job.status = "cancelling";
      if (age < Infinity && this.#options.now() - job.cancelledAt < 30_000) return;
      // Half of the rows were done by then.
      const half = job.rows.length / 2;
      job.results = [];
      for (const [i, id] of job.rows.entries()) {
        const row: RowResult | undefined = i < half
          ? this.#run(job, id)
          : { id, kind: "not_run", reason: "cancelled" };
        if (row !== undefined) job.results.push(row);
      }
      job.status = "cancelled";
      return;
    }
    job.status = age < this.validates ? "validating" : "running";
    if (age < this.runs || job.rows.length < 1) return;
    const rows = job.rows.map((id) => this.#run(job, id)).filter((row) => row !== undefined);
    const isExpired = rows.some(({ kind }) => kind === "not_run");
    job.status = isExpired ? "expired" : "completed";
    // Never in the order of the input.
    job.results = rows.reverse();
  }

  #run(job: FakeJob, id: string): RowResult | undefined {
    const index = indexOf(id);
    const times = (this.billed.get(index) ?? 0) + 1;
    const fate = this.fate(index, times, job);
    if (fate === "expired") return { id, kind: "not_run", reason: "expired" };
    if (fate === "missing") return undefined;
    if (typeof fate === "object") {
      return { id, kind: "error", status: fate.error, body: { error: { message: "failed" } } };
    }
    this.billed.set(index, times);
    return fate === "lost" ? undefined : { id, kind: "answer", body: `answer ${index}` };
  }
}

async function rowIds(input: JobInput): Promise<string[]> {
  const ids: string[] = [];
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of input.open()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) ids.push(JSON.parse(line).id);
  }
  return ids;
}

/** Not used: the API above sends nothing. */
export const noHttp: BatchHttp = {
  send: () => Promise.reject(new Error("nothing should be sent")),
  lines: () => {
    throw new Error("nothing should be sent");
  },
};
