/**
 * The mock of OpenRouter's batch API.
 *
 * Source: OpenRouter documentation, "Batch API Quickstart"; see also `openrouter_objects.ts`.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { asObject, asText, type Json } from "../../json/json.ts";
import { answerCreate, answerPoll, answerRequest, cutByFault, pageSize } from "./answer_request.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchCore } from "./core.ts";
import { type InlineBody, readInlineRequests } from "./inline_requests.ts";
import type { JobProblem, JobRecord, JobState } from "./job.ts";
import { encodeOpenrouterBatch, encodeOpenrouterResult } from "./openrouter_objects.ts";
import { describeBody } from "./read_body.ts";
import { ResultPages } from "./result_pages.ts";
import { rowOutcomes } from "./results.ts";
import { refuse, storeRows } from "./stored_rows.ts";

const NAME = "openrouter";
const MAX_ROWS = 5000;
const ENDPOINTS = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];
const STATUSES = ["validating", "in_progress", "completed", "failed", "expired", "cancelled"];
/** Images and files that are not URLs. The pattern only matches outside of strings. */
const DATA = /"(?:url|image_url|file_data)":"data:|"type":"base64"/;

/** What is wrong with a row, which a batch only finds after its create. */
function rowProblem(row: unknown, ids: Set<string>, model: unknown): string | undefined {
  const { custom_id: id, body } = asObject(row) ?? {};
  const fields = asObject(body);
  if (typeof id !== "string" || id === "" || id.length > 64) {
    return "custom_id must be a string of 1 to 64 characters";
  }
  if (ids.has(id)) return `custom_id "${id}" is used twice`;
  ids.add(id);
  if (fields === undefined) return "body must be an object";
  if (fields.model !== undefined && fields.model !== model) {
    return `the model of the request differs from that of the batch, ${model}`;
  }
  if (fields.stream === true) return "streaming is not supported";
  if (DATA.test(JSON.stringify(body))) return "data URIs are not supported; use URLs";
  return undefined;
}

interface OpenrouterInput {
  body: InlineBody;
  problem?: JobProblem;
}

/** The rows of a create. Problems with them do not refuse it. */
async function* rowsOf(request: Request, input: OpenrouterInput): AsyncGenerator<unknown> {
  const ids = new Set<string>();
  const fields: Json = {};
  const reading = readInlineRequests(request.body, "requests", fields);
  for (let line = 1;; line++) {
    const { value, done } = await reading.next();
    if (done) {
      input.body = value as InlineBody;
      return;
    }
    const message = rowProblem(value, ids, fields.model);
    if (message !== undefined) {
      input.problem ??= {
        code: "invalid_request",
        message: `requests[${line - 1}]: ${message}`,
        line,
      };
    }
    yield value;
  }
}

/** Checks the fields around the rows. */
function checkBody({ fields, order, rows }: InlineBody): void {
  if (rows === undefined) refuse(400, "requests: an array is required.");
  // The server reads the rows as they arrive, and has to know what they are for.
  if (order.at(-1) !== "requests") {
    refuse(400, 'Invalid request body: "requests" must be the last field.');
  }
  if (!ENDPOINTS.includes(fields.endpoint as string)) {
    refuse(400, `endpoint: expected one of ${ENDPOINTS.join(", ")}.`);
  }
  if (asText(fields.model) === undefined) refuse(400, "model: a string is required.");
  const { completion_window: window = "24h" } = fields;
  if (window !== "24h") refuse(400, 'completion_window: expected "24h".');
  if (rows === 0) refuse(400, "requests: at least one request is required.");
  if (rows! > MAX_ROWS) refuse(400, `requests: at most ${MAX_ROWS} requests are allowed.`);
}

async function create(c: Context, core: BatchCore): Promise<JobRecord> {
  const owner = core.ownerOf(c.req.raw);
  const input: OpenrouterInput = { body: { fields: {}, order: [], rows: undefined } };
  const rows = rowsOf(c.req.raw, input);
  const stored = await storeRows(core, { api: NAME, owner }, rows, (row) => asObject(row)?.body);
  checkBody(input.body);
  const { fields } = input.body;
  describeBody(c.req.raw, JSON.stringify({ ...fields, requests: `${stored.rows} requests` }));
  const job = core.createJob({
    id: core.newId("batch_"),
    api: NAME,
    owner,
    ...stored,
    model: fields.model as string,
    ...(input.problem === undefined ? {} : { problem: input.problem }),
    details: {
      endpoint: fields.endpoint,
      window: fields.completion_window ?? "24h",
      provider: fields.provider,
    },
  });
  // A batch that expires has no results, so none of its rows is ever done.
  if (job.faults.expire === undefined) return job;
  const expiring = { ...job, faults: { ...job.faults, expire: 0 } };
  core.putJob(expiring);
  return expiring;
}

async function* results(core: BatchCore, job: JobRecord, state: JobState): AsyncGenerator<Json> {
  for await (const outcome of rowOutcomes(core, job, state, { succeeded: true, failed: true })) {
    yield encodeOpenrouterResult(outcome, job);
  }
}

async function encode(core: BatchCore, job: JobRecord, hasResults: boolean): Promise<Json> {
  const state = await core.state(job);
  const totals = core.reportedTotals(job, state);
  let rows: Json[] | null = null;
  if (hasResults && state.phase === "completed") {
    rows = [];
    for await (const row of results(core, job, state)) rows.push(row);
  }
  return encodeOpenrouterBatch(job, state, totals, rows);
}

async function list(c: Context, core: BatchCore): Promise<Response> {
  const { status, after, created_after, created_before } = c.req.query();
  if (status !== undefined && !STATUSES.includes(status)) {
    refuse(400, `status: expected one of ${STATUSES.join(", ")}.`);
  }
  const jobs: Json[] = [];
  for (const job of core.jobs(NAME, core.ownerOf(c.req.raw))) {
    const seconds = job.createdAt / 1000;
    if (seconds < Number(created_after ?? 0) || seconds > Number(created_before ?? Infinity)) {
      continue;
    }
    const batch = await encode(core, job, false);
    if (status === undefined || batch.status === status) jobs.push(batch);
  }
  const start = after === undefined ? 0 : jobs.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) refuse(400, `after: there is no batch ${after}.`);
  const size = pageSize(c, core, "limit", 20, 100);
  const data = jobs.slice(start, start + size);
  return c.json({
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + size < jobs.length,
  });
}

async function resultsPage(
  c: Context,
  core: BatchCore,
  pages: ResultPages,
  job: JobRecord,
): Promise<Response> {
  const state = await core.state(job);
  if (!state.isFinal) refuse(400, `The batch ${job.id} is not finished.`);
  if (state.phase !== "completed") refuse(404, `The batch ${job.id} has no results.`);
  const asked = Number(c.req.query("limit") ?? 100);
  const limit = asked >= 1 ? Math.min(Math.floor(asked), 1000) : 100;
  const start = Number(c.req.query("cursor") ?? 0);
  const kinds = { succeeded: true, failed: true };
  const { outcomes, next } = await pages.read(core, job, state, kinds, start, limit);
  const page = c.json({
    object: "list",
    data: outcomes.map((outcome) => encodeOpenrouterResult(outcome, job)),
    has_more: next !== undefined,
    next_cursor: next === undefined ? null : String(next),
  });
  return cutByFault(c, core, page);
}

function addRoutes(app: Hono, core: BatchCore): void {
  const pages = new ResultPages();
  const found = (c: Context): JobRecord => {
    const id = c.req.param("id")!;
    const job = core.job(id, NAME, core.ownerOf(c.req.raw));
    return job ?? refuse(404, `Batch ${id} not found`);
  };
  for (const batches of ["/v1/batches", "/beta/batches"]) {
    app.post(batches, (c) =>
      answerCreate(
        c,
        core,
        async () => c.json(await encode(core, await create(c, core), false), 202),
      ));
    app.get(batches, (c) => answerRequest(c, core, () => list(c, core)));
    app.get(
      `${batches}/:id`,
      (c) => answerPoll(c, core, async () => c.json(await encode(core, found(c), true))),
    );
    app.get(
      `${batches}/:id/results`,
      (c) => answerRequest(c, core, () => resultsPage(c, core, pages, found(c))),
    );
    app.delete(`${batches}/:id`, (c) =>
      answerRequest(c, core, async () => {
        const job = found(c);
        const { isFinal } = await core.state(job);
        if (!isFinal) refuse(409, `The batch ${job.id} is not finished.`);
        core.deleteJob(job);
        return c.json({ id: job.id, object: "batch", deleted: true });
      }));
  }
}

/** OpenRouter's batches. */
export const openrouterBatches: BatchApiServer = {
  name: NAME,
  vendors: ["openrouter"],
  paths: /^\/(v1|beta)\/batches(\/|$)/,
  parseRow(line, _index, job) {
    const { custom_id, body } = asObject(line) ?? {};
    return {
      id: asText(custom_id) ?? "",
      path: asText(job.details.endpoint) ?? ENDPOINTS[0],
      body: { model: job.model, ...asObject(body) },
    };
  },
  addRoutes,
};
