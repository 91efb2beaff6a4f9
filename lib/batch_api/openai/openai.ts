/**
 * Talks to OpenAI's batch API and to the services that imitate it.
 *
 * Source: OpenAI API reference, "Batch" and "Files".
 *
 * @module
 */
import { asObject, asText } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { BatchApi, Job, JobInput, RowRequest } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { cancelJob } from "../cancel_job.ts";
import { findJobs, type JobPage } from "../find_jobs.ts";
import { encodeLine, rowProblem } from "../row_line.ts";
import { type Dialect, dialectOf } from "./dialects.ts";
import { deleteFiles, readRows, uploadFile } from "./files.ts";
import { decodeJob, notAJobError, resultFiles } from "./job.ts";

const PAGE_SIZE = 100;

/** The page in an answer. */
function decodePage(json: unknown, dialect: Dialect): JobPage {
  const answer = asObject(json);
  const data = Array.isArray(json) ? json : answer?.data;
  if (!Array.isArray(data)) throw notAJobError();
  const jobs = data.map((item) => decodeJob(item, dialect));
  if (dialect.paging === "cursor") {
    return { jobs, next: asText(asObject(answer?.paging)?.next_cursor) };
  }
  const hasMore = answer?.has_more ?? jobs.length >= PAGE_SIZE;
  return { jobs, next: hasMore ? asText(answer?.last_id) ?? jobs.at(-1)?.id : undefined };
}

class OpenAIBatchApi implements BatchApi {
  readonly name = "openai";
  readonly foundBy = "file";
  readonly limits: BatchApi["limits"];
  readonly poll: BatchApi["poll"];
  readonly #dialect: Dialect;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.limits = dialect.limits;
    this.poll = dialect.poll;
  }

  rowProblem(row: RowRequest): string | undefined {
    return rowProblem(row, this.#dialect.paths);
  }

  encodeRow(id: string, { path, body }: RowRequest): string {
    const fields = { custom_id: id, method: "POST", url: this.#endpoint(path) };
    return encodeLine(fields, "body", body);
  }

  upload(http: BatchHttp, input: JobInput): ReturnType<typeof uploadFile> {
    return uploadFile(http, input, "/files", { purpose: "batch" });
  }

  async create(http: BatchHttp, input: JobInput): Promise<Job> {
    const json = {
      input_file_id: input.uploaded?.file,
      endpoint: this.#endpoint(input.path),
      completion_window: "24h",
      metadata: { flexllm: input.nonce },
    };
    return decodeJob(
      (await http.send({ method: "POST", path: "/batches", json })).json,
      this.#dialect,
    );
  }

  find(http: BatchHttp, input: JobInput, since: number): Promise<Job[]> {
    const { nonce, uploaded } = input;
    const cursorName = this.#dialect.paging ?? "after";
    return findJobs(
      async (cursor) => {
        const query = { limit: String(PAGE_SIZE), [cursorName]: cursor };
        const { json } = await http.send({ method: "GET", path: "/batches", query });
        return decodePage(json, this.#dialect);
      },
      (job) => job.nonce === nonce || (uploaded !== undefined && job.inputFile === uploaded.file),
      since,
    );
  }

  async get(http: BatchHttp, id: string): Promise<Job> {
    const { json } = await http.send({ method: "GET", path: `/batches/${encodeURIComponent(id)}` });
    return decodeJob(json, this.#dialect);
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

  clean(http: BatchHttp, job: Job, uploaded: JobInput["uploaded"]): Promise<void> {
    const { output, error } = resultFiles(job);
    return deleteFiles(http, [uploaded?.file ?? job.inputFile, output, error]);
  }

  #endpoint(path: string): string {
    return this.#dialect.endpoint?.(path) ?? `/v1${path}`;
  }
}

/** The batch API of OpenAI, or of a service that imitates it, at `endpoint`. */
export function openaiBatchApi(endpoint: Endpoint): BatchApi {
  return new OpenAIBatchApi(dialectOf(endpoint));
}
