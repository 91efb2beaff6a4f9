/**
 * Anthropic's Message Batches API.
 *
 * Source: Anthropic API reference, "Message Batches", and the types of `@anthropic-ai/sdk` 1.14.
 *
 * @module
 */
import { asObject, asText, tryParse } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { BatchApi, RowRequest } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { cancelJob } from "../cancel_job.ts";
import { findJobs, type JobPage } from "../find_jobs.ts";
import { inlineBody } from "../inline_input.ts";
import { requireJobs } from "../job_fields.ts";
import { deleteIfExists, parseLine } from "../read_json.ts";
import { encodeLine, rowProblem } from "../row_line.ts";
import { decodeJob, resultsPath } from "./job.ts";
import { decodeRow } from "./result.ts";

/** The version that batches are documented for. It does not change what the rows may contain. */
const headers = { "anthropic-version": "2023-06-01" };

/** Fields of a request that only make sense, or only work, outside of a batch. */
const REFUSED_FIELDS = ["speed", "store", "cache_hint", "context_hint"];

function problemOf(row: RowRequest): string | undefined {
  const fields = asObject(tryParse(row.body)) ?? {};
  if (fields.max_tokens === 0) return "Anthropic's batches do not accept `max_tokens: 0`";
  const refused = REFUSED_FIELDS.find((name) => fields[name] !== undefined);
  if (refused !== undefined) return `Anthropic's batches do not accept \`${refused}\``;
  return rowProblem(row, ["/messages"]);
}

/** Reads a page of the list of jobs, the newest first. */
async function readPage(http: BatchHttp, cursor: string | undefined): Promise<JobPage> {
  const query = { limit: "100", after_id: cursor };
  const answer = await http.send({ method: "GET", path: "/messages/batches", query, headers });
  const { data, has_more, last_id } = asObject(answer.json) ?? {};
  const next = has_more === true ? asText(last_id) : undefined;
  return { jobs: requireJobs(answer.json, data, false).map(decodeJob), next };
}

/** The batch API of Anthropic, or of a server that imitates it. */
export function anthropicBatchApi(endpoint: Endpoint): BatchApi {
  return {
    name: "anthropic",
    foundBy: "nothing",
    // Rows of all jobs that are not done: from 200,000 on, depending on the tier.
    limits: { rows: 100_000, bytes: 256_000_000, jobs: 100, queuedRows: 200_000 },
    poll: { first: 30, longest: 300 },
    rowProblem: problemOf,
    encodeRow: (id, { body }) => encodeLine({ custom_id: id }, "params", body),

    async create(http, input) {
      const { json } = await http.send({
        method: "POST",
        path: "/messages/batches",
        headers: { ...headers, "content-type": "application/json" },
        body: inlineBody(input, '{"requests":[', "]}"),
      });
      return decodeJob(json);
    },

    find: (http, input, since) =>
      findJobs(
        (cursor) => readPage(http, cursor),
        ({ rows, createdAt }) =>
          (rows === undefined || rows === input.rows) && (createdAt ?? Infinity) >= since,
        since,
      ),

    async get(http, id) {
      const path = `/messages/batches/${encodeURIComponent(id)}`;
      return decodeJob((await http.send({ method: "GET", path, headers })).json);
    },

    async *results(http, job, parse) {
      for await (const line of http.lines({ path: resultsPath(job, endpoint), headers })) {
        const row = decodeRow(parseLine(line, parse));
        if (row !== undefined) yield row;
      }
    },

    cancel(http, id) {
      return cancelJob(this, http, id, `/messages/batches/${encodeURIComponent(id)}/cancel`);
    },

    async clean(http, { id }) {
      await deleteIfExists(http, { path: `/messages/batches/${encodeURIComponent(id)}`, headers });
    },
  };
}
