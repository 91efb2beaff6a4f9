/**
 * Talks to Together's batch API.
 *
 * Sources: docs.together.ai, "Batch inference" and "Manage batch jobs"; the `together-ai` package (`upload`,
 * `batches`). `CANCELING` is undocumented.
 *
 * @module
 */
import { MalformedResponseError } from "../../errors.ts";
import { HttpError } from "../../http_errors.ts";
import { asNumber, asObject, asText, type Json } from "../../json/json.ts";
import type { BatchApi, Job, JobInput, RowRequest, UploadedInput } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { cancelJob } from "../cancel_job.ts";
import { asTime } from "../fields.ts";
import { findJobs } from "../find_jobs.ts";
import {
  createFrom,
  decodeFile,
  deleteFiles,
  inputFilename,
  readRows,
  uploadFile,
} from "../openai/files.ts";
import {
  decodeFiles,
  decodeProblems,
  decodeStatus,
  notAJobError,
  resultFiles,
} from "../openai/job.ts";
import { encodeLine, rowProblem } from "../row_line.ts";

const MB = 1_000_000;

/** A status with the progress, which is all that Together reports before the end. */
function decodeProgress({ status, progress }: Json): Pick<Job, "status" | "nativeStatus"> {
  const decoded = decodeStatus(status);
  const percent = asNumber(progress);
  if (decoded.status !== "running" || !percent) return decoded;
  return { ...decoded, nativeStatus: `${asText(status)} ${Math.floor(percent)} %` };
}

/**
 * Decodes a job; creating wraps it in an object.
 *
 * @throws {MalformedResponseError} if `json` is none
 */
function decodeJob(json: unknown): Job {
  const answer = asObject(json);
  const job = asObject(answer?.job) ?? answer;
  const id = asText(job?.id);
  if (job === undefined || id === undefined) throw notAJobError();
  return {
    id,
    ...decodeProgress(job),
    createdAt: asTime(job.created_at),
    expiresAt: asTime(job.job_deadline),
    problems: decodeProblems(job.error),
    model: asText(job.model_id),
    output: { ...decodeFiles(job) },
    inputFile: asText(job.input_file_id),
  };
}

/** Uploads in three steps, as the `together-ai` package does: get a URL, send the file to it, confirm. */
async function uploadToStorage(http: BatchHttp, input: JobInput): Promise<UploadedInput> {
  const query = { file_name: inputFilename(input), file_type: "jsonl", purpose: "batch-api" };
  const ticket = await http.send({
    method: "POST",
    path: "/files",
    query,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(query).toString(),
    allowRedirect: true,
  });
  const location = ticket.headers.get("location");
  const file = ticket.headers.get("x-together-file-id");
  if (location === null || file === null) {
    throw new MalformedResponseError("the server returned no URL for uploading the file", {
      retryable: true,
    });
  }
  await http.send({
    method: "PUT",
    path: location,
    headers: { "content-type": "application/octet-stream" },
    body: { size: input.bytes, open: () => input.open() },
  });
  const { json } = await http.send({ method: "GET", path: `/files/${encodeURIComponent(file)}` });
  return decodeFile({ id: file, ...asObject(json) });
}

/** Statuses of servers that do not have the documented upload. */
const NO_UPLOAD: ReadonlySet<number> = new Set([404, 405, 501]);

class TogetherBatchApi implements BatchApi {
  readonly name = "together";
  readonly foundBy = "file";
  readonly limits = { rows: 50_000, bytes: 100 * MB, rowBytes: 10 * MB, jobs: 10 };
  readonly poll = { first: 30, longest: 300 };

  rowProblem(row: RowRequest): string | undefined {
    return rowProblem(row, ["/chat/completions"]);
  }

  encodeRow(id: string, { body }: RowRequest): string {
    return encodeLine({ custom_id: id }, "body", body);
  }

  async upload(http: BatchHttp, input: JobInput): Promise<UploadedInput> {
    const fields = { purpose: "batch-api", file_name: inputFilename(input) };
    try {
      return await uploadFile(http, input, "/files/upload", fields);
    } catch (error) {
      if (!(error instanceof HttpError && NO_UPLOAD.has(error.status))) throw error;
      return await uploadToStorage(http, input);
    }
  }

  async create(http: BatchHttp, { uploaded, path }: JobInput): Promise<Job> {
    const json = {
      input_file_id: uploaded?.file,
      endpoint: `/v1${path}`,
      completion_window: "24h",
    };
    return decodeJob(await createFrom(http, "/batches", json));
  }

  find(http: BatchHttp, { uploaded }: JobInput, since: number): Promise<Job[]> {
    return findJobs(
      async () => {
        const { json } = await http.send({ method: "GET", path: "/batches" });
        const data = Array.isArray(json) ? json : asObject(json)?.data;
        // Without any job, the list is null.
        if (json === null || data === null) return { jobs: [] };
        if (!Array.isArray(data)) throw notAJobError();
        return { jobs: data.map(decodeJob) };
      },
      ({ inputFile }) => uploaded !== undefined && inputFile === uploaded.file,
      since,
    );
  }

  async get(http: BatchHttp, id: string): Promise<Job> {
    const path = `/batches/${encodeURIComponent(id)}`;
    return decodeJob((await http.send({ method: "GET", path })).json);
  }

  results(
    http: BatchHttp,
    job: Job,
    parse: (text: string) => unknown,
  ): ReturnType<typeof readRows> {
    return readRows(http, resultFiles(job), parse);
  }

  cancel(http: BatchHttp, id: string): Promise<void> {
    return cancelJob(this, http, id, `/batches/${encodeURIComponent(id)}/cancel`);
  }

  clean(http: BatchHttp, job: Job, uploaded: UploadedInput | undefined): Promise<void> {
    const { output, error } = resultFiles(job);
    return deleteFiles(http, [uploaded?.file ?? job.inputFile, output, error]);
  }
}

/** Together's batch API. */
export function togetherBatchApi(): BatchApi {
  return new TogetherBatchApi();
}
