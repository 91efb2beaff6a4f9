/**
 * OpenRouter's batch API.
 *
 * Source: OpenRouter documentation, "Batch API Quickstart" and "Batch" in the API reference (November 2026).
 *
 * @module
 */
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asText } from "../../json/json.ts";
import type { BatchApi, Job, JobInput, RowRequest } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { findJobs, type JobPage } from "../find_jobs.ts";
import { inlineBody } from "../inline_input.ts";
import { requireJobs } from "../job_fields.ts";
import { PageCursors } from "../page_cursors.ts";
import { deleteIfExists } from "../read_json.ts";
import { encodeLine, rowProblem } from "../row_line.ts";
import { decodeJob } from "./job.ts";
import { readResults } from "./results.ts";

const PATHS = ["/chat/completions", "/responses", "/messages"];

/**
 * Images and files as data, in each wire format. The pattern only matches outside of strings, where quotes are not
 * escaped.
 */
const DATA = /"(?:url|image_url|file_data)":"data:|"type":"base64"|"input_audio":\{/;

function problemOf(row: RowRequest): string | undefined {
  if (DATA.test(row.body)) return "OpenRouter's batches do not accept images and files as data";
  return rowProblem(row, PATHS);
}

/** Reads a page of the list of jobs, the newest first. */
async function readPage(http: BatchHttp, cursor: string | undefined): Promise<JobPage> {
  const query = { limit: "100", after: cursor };
  const { json } = await http.send({ method: "GET", path: "/batches", query });
  const { data, has_more, last_id } = asObject(json) ?? {};
  const jobs = requireJobs(json, data, false).map(decodeJob);
  return { jobs, next: has_more === true ? asText(last_id) ?? jobs.at(-1)?.id : undefined };
}

/** Looks up a job in the list. */
async function findById(http: BatchHttp, id: string): Promise<Job | undefined> {
  const cursors = new PageCursors();
  let cursor: string | undefined;
  do {
    const { jobs, next } = await readPage(http, cursor);
    const job = jobs.find((job) => job.id === id);
    if (job !== undefined) return job;
    cursor = cursors.next(next, jobs.length);
  } while (cursor !== undefined);
  return undefined;
}

/**
 * Whether a job may be the one of an input. The model may be reported with its date, and the number of rows only
 * after validation.
 */
function isCandidate({ status, rows, model }: Job, input: JobInput): boolean {
  const isRows = rows === input.rows || (!rows && status === "validating");
  const isModel = model === undefined || model.startsWith(input.model) ||
    input.model.startsWith(model);
  return isRows && isModel;
}

/** The batch API of OpenRouter. */
export function openRouterBatchApi(): BatchApi {
  return {
    name: "openrouter",
    foundBy: "nothing",
    // OpenRouter accepts 5,000 rows, but a poll of an ended job returns all answers at once.
    limits: { rows: 2_000, bytes: 200_000_000, jobs: 10 },
    poll: { first: 15, longest: 300 },
    rowProblem: problemOf,
    encodeRow: (id, { body }) => encodeLine({ custom_id: id }, "body", body),

    async create(http, input) {
      // The server reads the body as it arrives, and needs the other fields before the rows.
      const fields = { endpoint: `/v1${input.path}`, model: input.model };
      const { json } = await http.send({
        method: "POST",
        path: "/batches",
        headers: { "content-type": "application/json" },
        body: inlineBody(input, `${JSON.stringify(fields).slice(0, -1)},"requests":[`, "]}"),
      });
      return decodeJob(json);
    },

    find: (http, input, since) =>
      findJobs(
        (cursor) => readPage(http, cursor),
        (job) => isCandidate(job, input) && (job.createdAt ?? Infinity) >= since,
        since,
      ),

    async get(http, id) {
      const path = `/batches/${encodeURIComponent(id)}`;
      try {
        return decodeJob((await http.send({ method: "GET", path })).json);
      } catch (error) {
        // With all of its answers, a job can be too large to be read. In the list it comes without them.
        if (!(error instanceof MalformedResponseError)) throw error;
        const job = await findById(http, id);
        if (job === undefined) throw error;
        return job;
      }
    },

    results: readResults,

    async clean(http, { id }) {
      await deleteIfExists(http, { path: `/batches/${encodeURIComponent(id)}` });
    },
  };
}
