/**
 * Anthropic's Message Batches API.
 *
 * Source: Anthropic API reference, "Message Batches", and the types of `@anthropic-ai/sdk` 1.14.
 *
 * @module
 */
import { asObject, asObjects, asText } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { BatchApi, Job, RowRequest } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { inlineBody } from "../inline_input.ts";
import { deleteIfExists, parseLine } from "../read_json.ts";
import { bodyFields, streamProblem } from "../row_checks.ts";
import { encodeLine } from "../row_line.ts";
import { decodeJob, resultsPath } from "./job.ts";
import { decodeRow } from "./result.ts";

/** The version that batches are documented for. It does not change what the rows may contain. */
const headers = { "anthropic-version": "2023-06-01" };

/** Fields of a request that only make sense, or only work, outside of a batch. */
const REFUSED_FIELDS = ["speed", "store", "cache_hint", "context_hint"];

function rowProblem({ body }: RowRequest): string | undefined {
  const fields = bodyFields(body);
  if (fields.max_tokens === 0) return "Anthropic's batches do not accept `max_tokens: 0`";
  const refused = REFUSED_FIELDS.find((name) => fields[name] !== undefined);
  if (refused !== undefined) return `Anthropic's batches do not accept \`${refused}\``;
  return streamProblem(fields);
}

/** Lists jobs, the newest first, until a page is older than `since`. */
async function listSince(http: BatchHttp, since: number): Promise<Job[]> {
  const jobs: Job[] = [];
  let after: string | undefined;
  do {
    const query = { limit: "100", after_id: after };
    const answer = await http.send({ method: "GET", path: "/messages/batches", query, headers });
    const page = asObjects(asObject(answer.json)?.data).map(decodeJob);
    const recent = page.filter(({ createdAt }) => (createdAt ?? Infinity) >= since);
    jobs.push(...recent);
    const { has_more, last_id } = asObject(answer.json) ?? {};
    const next = has_more === true && recent.length > 0 ? asText(last_id) : undefined;
    // A server that repeats a page would never end.
    after = next === after ? undefined : next;
  } while (after !== undefined);
  return jobs;
}

/** The batch API of Anthropic, or of a server that imitates it. */
export function anthropicBatchApi(endpoint: Endpoint): BatchApi {
  return {
    name: "anthropic",
    foundBy: "nothing",
    // Rows of all jobs that are not done: from 200,000 on, depending on the tier.
    limits: { rows: 100_000, bytes: 256_000_000, jobs: 100, queuedRows: 200_000 },
    poll: { first: 30, longest: 300 },
    rowProblem,
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

    async find(http, input, since) {
      const jobs = await listSince(http, since);
      return jobs.filter(({ rows }) => rows === undefined || rows === input.rows);
    },

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

    async cancel(http, id) {
      const path = `/messages/batches/${encodeURIComponent(id)}/cancel`;
      await http.send({ method: "POST", path, headers });
    },

    async clean(http, { id }) {
      await deleteIfExists(http, { path: `/messages/batches/${encodeURIComponent(id)}`, headers });
    },
  };
}
