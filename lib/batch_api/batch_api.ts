/**
 * The interface of a provider's batch API: jobs of many requests, answered within hours, usually at half price.
 *
 * An adapter knows the wire format of one API and keeps no state. It never retries: only the caller knows
 * whether a repetition is safe.
 *
 * @module
 */
import type { Json } from "../json/json.ts";
import type { BatchHttp } from "./batch_http.ts";

/** A batch API, by the provider that designed it. Other services imitate some of them. */
export type BatchApiName =
  | "openai"
  | "anthropic"
  | "gemini"
  | "mistral"
  | "together"
  | "xai"
  | "openrouter"
  | "fireworks";

/** What a provider accepts. Sizes are in bytes. */
export interface BatchLimits {
  /** Maximum rows in a job. */
  rows: number;
  /** Maximum size of a job's input. */
  bytes: number;
  /** Maximum size of one row. @default only that of the input */
  rowBytes?: number;
  /** Maximum jobs that are queued or running at the same time, unless the user sets another number. */
  jobs: number;
  /** Maximum rows that are queued or running at the same time, over all jobs. @default no limit */
  queuedRows?: number;
}

/** A request that becomes a row of a job. */
export interface RowRequest {
  /** The body in the wire format of the endpoint, as JSON text without line breaks. */
  body: string;
  /** The model, which some wire formats have outside of the body. */
  model: string;
  /** The path of the operation under the base URL, such as `/chat/completions` or `/messages`. */
  path: string;
}

/** The input of one job. All of its rows have the same model and path. */
export interface JobInput {
  /** Ten lower-case letters and digits that no other job has: goes into names, metadata and row ids. */
  nonce: string;
  model: string;
  /** See {@link RowRequest.path}. */
  path: string;
  /** Number of rows. */
  rows: number;
  /** Size in bytes of {@link JobInput.open}. */
  bytes: number;
  /** Opens the rows as {@link BatchApi.encodeRow} encoded them, each ended by a newline. Can be called again. */
  open(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What {@link BatchApi.upload} returned. */
  uploaded?: UploadedInput;
}

/** An input file at the provider. */
export interface UploadedInput {
  /** Its id, name or URI. */
  file: string;
  /** When the provider deletes it, in milliseconds since 1970. */
  expiresAt?: number;
}

/** The state of a job. The last four are final. */
export type JobStatus =
  | "validating"
  | "queued"
  | "running"
  | "finalizing"
  | "cancelling"
  | "completed"
  | "failed"
  | "expired"
  | "cancelled";

/** Why a provider refused a job or a row of it. */
export interface JobProblem {
  message: string;
  code?: string;
  /** The row's line in the input, from 1. */
  line?: number;
  /** The row's id. */
  row?: string;
}

/** A job as its provider describes it. Plain JSON: it is stored in a file. */
export interface Job {
  /** The provider's id. */
  id: string;
  status: JobStatus;
  /** The status in the provider's own words, if it says more. */
  nativeStatus?: string;
  /** Milliseconds since 1970. */
  createdAt?: number;
  /** When the job expires if it is not done, in milliseconds since 1970. */
  expiresAt?: number;
  /** When its results are deleted, in milliseconds since 1970. */
  resultsExpireAt?: number;
  /** Number of rows, also of jobs that something else created. */
  rows?: number;
  /** Rows that are done; absent while the provider does not report it. */
  counts?: { succeeded: number; failed: number };
  /** What is wrong with the job as a whole. */
  problems?: JobProblem[];
  /** USD, if the provider reports the cost of the job. */
  cost?: number;
  /** The model, if the provider reports it. */
  model?: string;
  /** What {@link BatchApi.results} needs, such as the ids of output files. */
  output?: Json;
  /** The nonce of the input, if it can be read from the job's name, metadata or id. */
  nonce?: string;
  /** The id of the input file. */
  inputFile?: string;
}

/** What became of one row. */
export type RowResult =
  & {
    /** As given to {@link BatchApi.encodeRow}. */
    id: string;
  }
  & (
    /** An answer in the wire format of the endpoint, parsed. */
    | { kind: "answer"; body: unknown }
    /** The row was processed and failed. `body` is the error in the wire format of the endpoint. */
    | { kind: "error"; status?: number; body: unknown }
    /** The row was never processed, and costs nothing. */
    | { kind: "not_run"; reason: "expired" | "cancelled" | "failed" }
  );

/** One provider's batch API, for one endpoint. */
export interface BatchApi {
  readonly name: BatchApiName;
  /**
   * How a job can be found again after a create without an answer: by its input file, by a label (metadata,
   * name), by an id that we choose, or not at all.
   */
  readonly foundBy: "file" | "label" | "id" | "nothing";
  readonly limits: BatchLimits;
  /** Seconds between polls: the first wait, and the longest one. */
  readonly poll: { first: number; longest: number };
  /** Why a request cannot be a row; `undefined` if it can. */
  rowProblem?(row: RowRequest): string | undefined;
  /** What all rows of a job must have in common besides their model and path. @default nothing */
  groupOf?(row: RowRequest): string;
  /** Encodes a row as one line of JSON, without a line break, and with U+2028 and U+2029 escaped. */
  encodeRow(id: string, row: RowRequest): string;
  /**
   * Whether an input has to be uploaded, for APIs that also take small ones with {@link BatchApi.create}. An
   * input that is uploaded nevertheless is fine. @default true if there is an `upload`
   */
  needsUpload?(input: JobInput): boolean;
  /**
   * Uploads the input, for APIs with input files. Costs nothing and may be repeated.
   *
   * @throws {FlexLLMError} if it fails
   */
  upload?(http: BatchHttp, input: JobInput): Promise<UploadedInput>;
  /**
   * Creates a job with a single request. APIs that need more than one (a container, then its rows) create it
   * here and fill it in {@link BatchApi.fill}.
   *
   * @throws {FlexLLMError} if it fails; the job may exist nevertheless
   */
  create(http: BatchHttp, input: JobInput): Promise<Job>;
  /** Adds the rows to a created job. Idempotent: may be repeated. */
  fill?(http: BatchHttp, job: Job, input: JobInput): Promise<void>;
  /**
   * Lists jobs created since `since` (milliseconds since 1970, with a margin) that may be the one of `input`,
   * from every page. Unless {@link BatchApi.foundBy} is `nothing`, a job in the list is the one.
   */
  find(http: BatchHttp, input: JobInput, since: number): Promise<Job[]>;
  /** Reads the current state of a job. */
  get(http: BatchHttp, id: string): Promise<Job>;
  /**
   * Reads all rows of a job that has ended, from every file and page, whatever its status. In any order. Rows
   * may be missing.
   *
   * @param parse parses JSON; numbers may come out in a form of the endpoint's wire format
   */
  results(
    http: BatchHttp,
    job: Job,
    parse: (text: string) => unknown,
  ): AsyncIterable<RowResult>;
  /** Requests the cancellation of a job. Absent if the API has none. */
  cancel?(http: BatchHttp, id: string): Promise<void>;
  /** Deletes the provider's files of a collected job, input and output; what is gone already is fine. */
  clean?(http: BatchHttp, job: Job, uploaded: UploadedInput | undefined): Promise<void>;
}

/** Whether a job in this state will not change any more. */
export function isFinal(status: JobStatus): boolean {
  return status === "completed" || status === "failed" || status === "expired" ||
    status === "cancelled";
}
