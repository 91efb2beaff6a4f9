/**
 * Talks to Mistral's batch API.
 *
 * Source: Mistral API reference, "Batch API" and "Files API"; the `@mistralai/mistralai` package.
 *
 * @module
 */
import {
  asCount,
  asObject,
  asObjects,
  asText,
  type Json,
  parseExact,
  stringifyExact,
} from "../../json/json.ts";
import type { BatchApi, Job, JobInput, JobProblem, JobStatus, RowRequest } from "../batch_api.ts";
import type { RowResult, UploadedInput } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { cancelJob } from "../cancel_job.ts";
import { asTime } from "../fields.ts";
import { findJobs } from "../find_jobs.ts";
import { requireJobs } from "../job_fields.ts";
import { createFrom, deleteFiles, readRows, uploadFile } from "../openai/files.ts";
import { notAJobError, resultFiles } from "../openai/job.ts";
import { decodeRow } from "../openai/rows.ts";
import { encodeLine, rowProblem } from "../row_line.ts";

const MB = 1_000_000;
const HOUR = 3_600_000;
const PAGE_SIZE = 100;
/** After how many hours a job of ours expires. The job itself does not say. */
const TIMEOUT_HOURS = 24;

const STATUSES: Readonly<Record<string, JobStatus>> = {
  QUEUED: "queued",
  RUNNING: "running",
  SUCCESS: "completed",
  FAILED: "failed",
  TIMEOUT_EXCEEDED: "expired",
  CANCELLATION_REQUESTED: "cancelling",
  CANCELLED: "cancelled",
};

function decodeStatus(native: unknown): Pick<Job, "status" | "nativeStatus"> {
  const text = asText(native) ?? "unknown";
  const status = STATUSES[text.toUpperCase()];
  return status === undefined ? { status: "running", nativeStatus: text } : { status };
}

function decodeProblems(errors: unknown): JobProblem[] | undefined {
  const problems = asObjects(errors).map((error) => {
    const message = asText(error.message) ?? JSON.stringify(error);
    const count = asCount(error.count) ?? 1;
    return { message: count > 1 ? `${message} (${count} times)` : message };
  });
  return problems.length === 0 ? undefined : problems;
}

function decodeCounts(job: Json): Pick<Job, "rows" | "counts"> {
  // All are 0 while the job is queued.
  const rows = asCount(job.total_requests) || undefined;
  const succeeded = asCount(job.succeeded_requests);
  if (rows === undefined || succeeded === undefined) return { rows };
  return { rows, counts: { succeeded, failed: asCount(job.failed_requests) ?? 0 } };
}

/**
 * Decodes a job.
 *
 * @throws {MalformedResponseError} if `json` is none
 */
function decodeJob(json: unknown): Job {
  const job = asObject(json);
  const id = asText(job?.id);
  if (job === undefined || id === undefined) throw notAJobError();
  const createdAt = asTime(job.created_at);
  const inputs = Array.isArray(job.input_files) ? job.input_files : [];
  return {
    id,
    ...decodeStatus(job.status),
    createdAt,
    expiresAt: createdAt === undefined ? undefined : createdAt + TIMEOUT_HOURS * HOUR,
    ...decodeCounts(job),
    problems: decodeProblems(job.errors),
    model: asText(job.model),
    output: { output: asText(job.output_file), error: asText(job.error_file) },
    nonce: asText(asObject(job.metadata)?.flexllm),
    inputFile: asText(inputs[0]),
  };
}

/** A body without its model, which is a field of the job. */
function withoutModel({ body, model }: RowRequest): string {
  const start = `{"model":${JSON.stringify(model)},`;
  if (body.startsWith(start)) return `{${body.slice(start.length)}`;
  const { model: _model, ...rest } = asObject(parseExact(body)) ?? {};
  return stringifyExact(rest);
}

async function* readInline(
  http: BatchHttp,
  id: string,
  parse: (text: string) => unknown,
): AsyncGenerator<RowResult, void, void> {
  const { text } = await http.send({ method: "GET", path: jobPath(id), query: { inline: "true" } });
  for (const output of asObjects(asObject(parse(text))?.outputs)) {
    const row = decodeRow(output);
    if (row !== undefined) yield row;
  }
}

function jobPath(id: string): string {
  return `/batch/jobs/${encodeURIComponent(id)}`;
}

class MistralBatchApi implements BatchApi {
  readonly name = "mistral";
  readonly foundBy = "label";
  readonly limits = { rows: 100_000, bytes: 512 * MB, jobs: 10, queuedRows: 1_000_000 };
  readonly poll = { first: 15, longest: 300 };

  rowProblem(row: RowRequest): string | undefined {
    return rowProblem(row, ["/chat/completions"]);
  }

  encodeRow(id: string, row: RowRequest): string {
    return encodeLine({ custom_id: id }, "body", withoutModel(row));
  }

  upload(http: BatchHttp, input: JobInput): Promise<UploadedInput> {
    return uploadFile(http, input, "/files", { purpose: "batch" });
  }

  async create(http: BatchHttp, { uploaded, path, model, nonce }: JobInput): Promise<Job> {
    const json = {
      input_files: [uploaded?.file],
      endpoint: `/v1${path}`,
      model,
      metadata: { flexllm: nonce },
      timeout_hours: TIMEOUT_HOURS,
    };
    return decodeJob(await createFrom(http, "/batch/jobs", json));
  }

  /**
   * The list has filters by metadata and age. They are not used: how metadata is written in a query is not
   * documented, and a filter that excludes too much would submit a job twice.
   */
  find(http: BatchHttp, { nonce, uploaded }: JobInput, since: number): Promise<Job[]> {
    let seen = 0;
    return findJobs(
      async (cursor = "0") => {
        const query = { page: cursor, page_size: String(PAGE_SIZE), order_by: "-created" };
        const { json } = await http.send({ method: "GET", path: "/batch/jobs", query });
        const answer = asObject(json);
        if (answer === undefined) throw notAJobError();
        const jobs = requireJobs(answer, answer.data, true).map(decodeJob);
        seen += jobs.length;
        // Without a total, an empty page is the last one.
        const isLast = jobs.length === 0 || seen >= (asCount(answer.total) ?? Infinity);
        return { jobs, next: isLast ? undefined : String(Number(cursor) + 1) };
      },
      (job) => job.nonce === nonce || (uploaded !== undefined && job.inputFile === uploaded.file),
      since,
    );
  }

  async get(http: BatchHttp, id: string): Promise<Job> {
    return decodeJob((await http.send({ method: "GET", path: jobPath(id) })).json);
  }

  results(
    http: BatchHttp,
    job: Job,
    parse: (text: string) => unknown,
  ): AsyncIterable<RowResult> {
    const { output, error } = resultFiles(job);
    // Jobs can have their results in themselves instead of in files.
    if (output === undefined && error === undefined) return readInline(http, job.id, parse);
    return readRows(http, { output, error }, parse);
  }

  cancel(http: BatchHttp, id: string): Promise<void> {
    return cancelJob(this, http, id, `${jobPath(id)}/cancel`);
  }

  clean(http: BatchHttp, job: Job, uploaded: UploadedInput | undefined): Promise<void> {
    const { output, error } = resultFiles(job);
    return deleteFiles(http, [uploaded?.file ?? job.inputFile, output, error]);
  }
}

/** Mistral's batch API. */
export function mistralBatchApi(): BatchApi {
  return new MistralBatchApi();
}
