/**
 * OpenRouter's batch API.
 *
 * Source: OpenRouter documentation, "Batch API Quickstart" and "Batch" in the API reference (November 2026).
 *
 * @module
 */
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asObjects, asText } from "../../json/json.ts";
import type { BatchApi, Job, JobInput, RowRequest } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { inlineBody } from "../inline_input.ts";
import { deleteIfExists } from "../read_json.ts";
import { bodyFields, streamProblem } from "../row_checks.ts";
import { encodeLine } from "../row_line.ts";
import { decodeJob } from "./job.ts";
import { readResults } from "./results.ts";

const PATHS = ["/chat/completions", "/responses", "/messages"];

/**
 * Images and files as data, in each wire format. The pattern only matches outside of strings, where quotes are not
 * escaped.
 */
const DATA = /"(?:url|image_url|file_data)":"data:|"type":"base64"|"input_audio":\{/;

function rowProblem({ path, body }: RowRequest): string | undefined {
  if (!PATHS.includes(path)) return `OpenRouter has no batches for ${path}`;
  if (DATA.test(body)) return "OpenRouter's batches do not accept images and files as data";
  return streamProblem(bodyFields(body));
}

/** Lists jobs, the newest first, until a page is older than `since` or has the job `id`. */
async function listJobs(http: BatchHttp, since: number, id?: string): Promise<Job[]> {
  const jobs: Job[] = [];
  let after: string | undefined;
  do {
    const query = { limit: "100", after };
    const { json } = await http.send({ method: "GET", path: "/batches", query });
    const page = asObjects(asObject(json)?.data).map(decodeJob);
    const recent = page.filter(({ createdAt }) => (createdAt ?? Infinity) >= since);
    jobs.push(...recent);
    if (recent.length === 0 || recent.some((job) => job.id === id)) break;
    const next = asObject(json)?.has_more === true
      ? asText(asObject(json)?.last_id) ?? page.at(-1)?.id
      : undefined;
    // A server that repeats a page would never end.
    after = next === after ? undefined : next;
  } while (after !== undefined);
  return jobs;
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
    rowProblem,
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

    async find(http, input, since) {
      const jobs = await listJobs(http, since);
      return jobs.filter((job) => isCandidate(job, input));
    },

    async get(http, id) {
      const path = `/batches/${encodeURIComponent(id)}`;
      try {
        return decodeJob((await http.send({ method: "GET", path })).json);
      } catch (error) {
        // With all of its answers, a job can be too large to be read. In the list it comes without them.
        if (!(error instanceof MalformedResponseError)) throw error;
        const job = (await listJobs(http, 0, id)).find((job) => job.id === id);
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
