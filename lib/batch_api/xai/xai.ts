/**
 * xAI's batch API: a container that is created first and then filled with rows.
 *
 * Rows can also be in a file. They are not, since a file that xAI rejects only shows in a message of the cancelled
 * batch, while an added row is refused at once; and adding is documented to be repeatable.
 *
 * Source: xAI documentation, "Batch API" (November 2026).
 *
 * @module
 */
import { HttpError } from "../../http_errors.ts";
import { asObject, asText } from "../../json/json.ts";
import type { BatchApi, JobInput, RowRequest } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { cancelJob } from "../cancel_job.ts";
import { findJobs, type JobPage } from "../find_jobs.ts";
import { bytesBody, concatBytes, readRows } from "../inline_input.ts";
import { labelOf, requireJobs } from "../job_fields.ts";
import { isNotFound } from "../read_json.ts";
import { escapeSeparators, rowProblem } from "../row_line.ts";
import { decodeJob } from "./job.ts";
import { readResults } from "./results.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Size of a request that adds rows, unless a single row is larger. xAI allows 25 MB. */
const CALL_BYTES = 4_000_000;

const encoder = new TextEncoder();
const START = encoder.encode('{"batch_requests":[');
const COMMA = encoder.encode(",");
const END = encoder.encode("]}");

function problemOf(row: RowRequest): string | undefined {
  // Their answers come in the format of Chat Completions.
  if (row.path === "/responses") {
    return "xAI's batches need the Chat Completions format (--api chat, api in the configuration)";
  }
  return rowProblem(row, ["/chat/completions"]);
}

/** The server's time, since a wrong clock here must not end a job. */
function serverTime(headers: Headers): number {
  const time = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(time) ? Date.now() : time;
}

/** A new container may not be visible at once. */
function notVisible({ message, status, providerMessage, requestId }: HttpError): HttpError {
  const details = { status, providerMessage, requestId, retryable: true, fatal: false };
  const hint = "xAI does not see the new batch yet, or it was deleted.";
  return new HttpError(message, { ...details, hint });
}

/** Reads a page of the list of jobs. Its order is not documented. */
async function readPage(http: BatchHttp, cursor: string | undefined): Promise<JobPage> {
  const query = { limit: "100", pagination_token: cursor };
  const { json, headers } = await http.send({ method: "GET", path: "/batches", query });
  const page = asObject(json) ?? {};
  const jobs = requireJobs(json, page.batches ?? page.data, true)
    .map((batch) => decodeJob(batch, serverTime(headers)));
  return { jobs, next: asText(page.pagination_token ?? page.next_page_token) };
}

/** Yields groups of rows that fit into one request. */
async function* groupsOf(input: JobInput): AsyncGenerator<Bytes[]> {
  let rows: Bytes[] = [];
  let size = 0;
  for await (const row of readRows(input)) {
    if (rows.length > 0 && size + row.length > CALL_BYTES) {
      yield rows;
      rows = [];
      size = 0;
    }
    // The reader's buffer may be reused before the group is sent.
    rows.push(row.slice());
    size += row.length + 1;
  }
  if (rows.length > 0) yield rows;
}

/** The batch API of xAI. */
export function xaiBatchApi(): BatchApi {
  return {
    name: "xai",
    foundBy: "label",
    limits: { rows: 50_000, bytes: 200_000_000, rowBytes: 24_900_000, jobs: 10 },
    poll: { first: 15, longest: 300 },
    rowProblem: problemOf,

    encodeRow(id, { body }) {
      const start = JSON.stringify({ batch_request_id: id }).slice(0, -1);
      return escapeSeparators(`${start},"batch_request":{"chat_get_completion":${body}}}`);
    },

    async create(http, { nonce }) {
      const json = { name: labelOf(nonce) };
      const answer = await http.send({ method: "POST", path: "/batches", json });
      return decodeJob(answer.json, serverTime(answer.headers));
    },

    async fill(http, { id }, input) {
      const path = `/batches/${encodeURIComponent(id)}/requests`;
      const headers = { "content-type": "application/json" };
      for await (const rows of groupsOf(input)) {
        const list = concatBytes(rows.flatMap((row, index) => index === 0 ? [row] : [COMMA, row]));
        const body = bytesBody(START, list, END);
        try {
          await http.send({ method: "POST", path, headers, body });
        } catch (error) {
          throw isNotFound(error) ? notVisible(error as HttpError) : error;
        }
      }
    },

    // Reads all pages, since a job that is overlooked would be submitted twice.
    find: (http, input) =>
      findJobs((cursor) => readPage(http, cursor), ({ nonce }) => nonce === input.nonce, 0),

    async get(http, id) {
      const path = `/batches/${encodeURIComponent(id)}`;
      const { json, headers } = await http.send({ method: "GET", path });
      return decodeJob(json, serverTime(headers));
    },

    results: readResults,

    cancel(http, id) {
      return cancelJob(this, http, id, `/batches/${encodeURIComponent(id)}:cancel`, {});
    },
  };
}
