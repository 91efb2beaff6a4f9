/**
 * The batch API of Google's Gemini API.
 *
 * Source: Gemini API, "Batch API" and "Files API", and the types of `@google/genai` 3.3.
 *
 * @module
 */
import { asObject, asText } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { BatchApi, JobInput, RowRequest } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { cancelJob } from "../cancel_job.ts";
import { findJobs, type JobPage } from "../find_jobs.ts";
import { inlineBody } from "../inline_input.ts";
import { labelOf, requireJobs } from "../job_fields.ts";
import { deleteIfExists } from "../read_json.ts";
import { encodeLine, rowProblem } from "../row_line.ts";
import { decodeJob, field } from "./job.ts";
import { schemaProblem, withResponseSchema } from "./response_schema.ts";
import { readResults } from "./results.ts";
import { INLINE_ROW, KEY_FIELD } from "./row.ts";
import { uploadFile } from "./upload.ts";

/** Google accepts 20 MB with the create; the rest is for what surrounds the rows. */
const INLINE_BYTES = 15_000_000;

/**
 * The answers to inline requests are part of the job, twice, and come with every poll. With more rows they could
 * get too large to be read at once.
 */
const INLINE_ROWS = 100;

/** Models whose answers contain images, audio or video. */
const MEDIA_MODEL = /image|tts|audio|veo|banana/i;

function isInline({ model, rows, bytes }: JobInput): boolean {
  return rows <= INLINE_ROWS && bytes + INLINE_ROW.growth * rows <= INLINE_BYTES &&
    !MEDIA_MODEL.test(model);
}

function problemOf(row: RowRequest): string | undefined {
  const { path, body } = row;
  if (!path.endsWith(":generateContent")) return "Gemini's batches can only generate content";
  return rowProblem(row, [path]) ?? schemaProblem(body);
}

/** The path of a job. Users may give its id without `batches/`. */
function pathOf(id: string): string {
  return id.includes("/") ? `/${id}` : `/batches/${id}`;
}

/** Reads a page of the list of jobs. Its order is not documented. */
async function readPage(http: BatchHttp, cursor: string | undefined): Promise<JobPage> {
  const query = { pageSize: "100", pageToken: cursor };
  const { json } = await http.send({ method: "GET", path: "/batches", query });
  const page = asObject(json) ?? {};
  // Google leaves empty lists out.
  const batches = requireJobs(json, page.operations ?? page.batches, true);
  return { jobs: batches.map(decodeJob), next: asText(field(page, "nextPageToken")) };
}

/** Whether an endpoint of Gemini's format is Vertex AI, whose batches work with files in Google Cloud. */
export function isVertex({ baseUrl }: Endpoint): boolean {
  return /\baiplatform\.googleapis\.com\/|\/publishers\/google$/.test(baseUrl);
}

/** The batch API of the Gemini API, or of a server that imitates it. */
export function geminiBatchApi(endpoint: Endpoint): BatchApi {
  return {
    name: "gemini",
    foundBy: "label",
    // Files may have any number of rows, but a job that takes too long loses all of its answers.
    limits: { rows: 2_000, bytes: 2_000_000_000, jobs: 100 },
    poll: { first: 30, longest: 300 },
    rowProblem: problemOf,
    encodeRow: (id, { body }) =>
      encodeLine({ [KEY_FIELD]: id }, "request", withResponseSchema(body)),
    needsUpload: (input) => !isInline(input),
    upload: (http, input) => uploadFile(http, input, endpoint),

    async create(http, input) {
      const path = input.path.replace(/:generateContent$/, ":batchGenerateContent");
      const displayName = labelOf(input.nonce);
      if (input.uploaded !== undefined) {
        const inputConfig = { fileName: input.uploaded.file };
        const json = { batch: { displayName, inputConfig } };
        return decodeJob((await http.send({ method: "POST", path, json })).json);
      }
      const prefix = `{"batch":{"displayName":"${displayName}",` +
        `"inputConfig":{"requests":{"requests":[`;
      const { json } = await http.send({
        method: "POST",
        path,
        headers: { "content-type": "application/json" },
        body: inlineBody(input, prefix, "]}}}}", INLINE_ROW),
      });
      return decodeJob(json);
    },

    // Reads all pages, since a job that is overlooked would be submitted twice.
    find: (http, input) =>
      findJobs((cursor) => readPage(http, cursor), ({ nonce }) => nonce === input.nonce, 0),

    async get(http, id) {
      return decodeJob((await http.send({ method: "GET", path: pathOf(id) })).json);
    },

    results: (http, job, parse) => readResults(http, job, parse, endpoint),

    cancel(http, id) {
      return cancelJob(this, http, id, `${pathOf(id)}:cancel`, {});
    },

    async clean(http, { id, inputFile }, uploaded) {
      const file = uploaded?.file ?? inputFile;
      if (file !== undefined) await deleteIfExists(http, { path: `/${file}` });
      // Also deletes the output file.
      await deleteIfExists(http, { path: pathOf(id) });
    },
  };
}
