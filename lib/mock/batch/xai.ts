/**
 * The mock of xAI's batch API: a container to which rows are added.
 *
 * Source: xAI documentation, "Batch API"; see also `xai_objects.ts`.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { readLinesSync } from "../../files/lines.ts";
import { canonicalJson } from "../../json/canonical.ts";
import { asObject, asText, type Json, tryParse } from "../../json/json.ts";
import { answerCreate, answerPoll, answerRequest, cutByFault, pageSize } from "./answer_request.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchCore } from "./core.ts";
import type { JobRecord } from "./job.ts";
import { readJson } from "./read_body.ts";
import { ResultPages } from "./result_pages.ts";
import type { BatchRow } from "./row_answers.ts";
import { refuse, storeRows } from "./stored_rows.ts";
import { encodeXaiBatch, encodeXaiResult } from "./xai_objects.ts";

const NAME = "xai";
/** Batches expire after 30 days. */
const WINDOW = 30 * 86_400_000;
const MAX_ADD_BYTES = 25_000_000;
const MAX_ROWS = 50_000;

/** The operations of rows, and the paths of the equivalent requests. */
const OPERATIONS: Record<string, string> = {
  chat_get_completion: "/v1/chat/completions",
  responses: "/v1/responses",
};

function parseRow(line: unknown): BatchRow {
  const { batch_request_id, batch_request } = asObject(line) ?? {};
  const request = asObject(batch_request) ?? {};
  const operation = Object.keys(OPERATIONS).find((name) => request[name] !== undefined);
  return {
    id: asText(batch_request_id) ?? "",
    path: OPERATIONS[operation ?? "chat_get_completion"],
    body: operation === undefined ? undefined : request[operation],
  };
}

/** Rows that xAI had counted as cancelled may turn out to be done after all. */
function settled(core: BatchCore, job: JobRecord): JobRecord {
  const { cancelledAt, faults, details } = job;
  if (cancelledAt === undefined || faults.uncancel === undefined) return job;
  if (core.now() < cancelledAt + faults.uncancel * 1000) return job;
  const { cancelledAt: _, doneAtCancel: __, ...rest } = job;
  const done = {
    ...rest,
    createdAt: core.now() - job.duration - 1,
    details: { ...details, cancelTime: cancelledAt },
  };
  core.putJob(done);
  return done;
}

async function create(c: Context, core: BatchCore): Promise<JobRecord> {
  const body = await readJson(c.req.raw) ?? refuse(400, "The body is not valid JSON.");
  const name = asText(body.name) ?? refuse(400, "name: a string is required.");
  if (body.input_file_id !== undefined) {
    refuse(400, "The mock server has no input files for xAI; add the requests instead.");
  }
  const owner = core.ownerOf(c.req.raw);
  const stored = await storeRows(core, { api: NAME, owner }, [], () => undefined);
  return core.createJob({
    id: core.newId("batch_"),
    api: NAME,
    owner,
    ...stored,
    window: WINDOW,
    details: { name, createTime: core.now() },
  });
}

function* storedRows(core: BatchCore, job: JobRecord): Generator<Json> {
  for (const { text } of readLinesSync(core.content(job.input, job.inputBytes).read)) {
    const row = asObject(tryParse(text));
    if (row !== undefined) yield row;
  }
}

/** The rows of a request that the batch does not have yet. */
function newRows(core: BatchCore, job: JobRecord, given: readonly unknown[]): Json[] {
  const known = new Map<string, string>();
  for (const row of storedRows(core, job)) known.set(parseRow(row).id, canonicalJson(row));
  const added: Json[] = [];
  for (const [index, value] of given.entries()) {
    const row = asObject(value);
    const { id, body } = parseRow(row);
    const field = `batch_requests[${index}]`;
    if (id === "") refuse(400, `${field}.batch_request_id: a string is required.`);
    if (asObject(body) === undefined) {
      refuse(400, `${field}.batch_request: expected chat_get_completion or responses.`);
    }
    const text = canonicalJson(row);
    const before = known.get(id);
    if (before === undefined) added.push(row!);
    else if (before !== text) {
      refuse(412, `The batch already has another request with the id ${id}.`);
    }
    known.set(id, text);
  }
  if (known.size > MAX_ROWS) refuse(400, `A batch has at most ${MAX_ROWS} requests.`);
  return added;
}

async function addRows(c: Context, core: BatchCore, job: JobRecord): Promise<void> {
  if (Number(c.req.header("content-length") ?? 0) > MAX_ADD_BYTES) {
    refuse(413, `The request is larger than ${MAX_ADD_BYTES} bytes.`);
  }
  const given = (await readJson(c.req.raw))?.batch_requests;
  if (!Array.isArray(given)) refuse(400, "batch_requests: an array is required.");
  const added = newRows(core, job, given as unknown[]);
  if (added.length === 0) return;
  if (job.cancelledAt !== undefined) refuse(400, `The batch ${job.id} is cancelled.`);
  const rows = function* () {
    yield* storedRows(core, job);
    yield* added;
  };
  const bodyOf = (row: unknown) => parseRow(row).body;
  const stored = await storeRows(core, { api: NAME, owner: job.owner }, rows(), bodyOf);
  // All rows are processed from now on. An early expiry moves along.
  const createdAt = core.now();
  const shift = job.faults.expire === undefined ? 0 : createdAt - job.createdAt;
  core.replaceInput({ ...job, ...stored, createdAt, expiresAt: job.expiresAt + shift });
}

async function encode(core: BatchCore, record: JobRecord): Promise<Json> {
  const job = settled(core, record);
  const state = await core.state(job);
  return encodeXaiBatch(job, state, core.reportedTotals(job, state));
}

async function resultsPage(
  c: Context,
  core: BatchCore,
  pages: ResultPages,
  job: JobRecord,
): Promise<Response> {
  const asked = Number(c.req.query("limit") ?? 100);
  const limit = asked >= 1 ? Math.min(Math.floor(asked), 1000) : 100;
  const start = Number(c.req.query("pagination_token") ?? 0);
  const kinds = { succeeded: true, failed: true };
  const state = await core.state(job);
  const { outcomes, next } = await pages.read(core, job, state, kinds, start, limit);
  const results = outcomes.map(({ id, answer }) =>
    encodeXaiResult(id, answer!.status, answer!.body)
  );
  const page = c.json({
    results,
    pagination_token: next === undefined ? null : String(next),
  });
  return cutByFault(c, core, page);
}

function addRoutes(app: Hono, core: BatchCore): void {
  const pages = new ResultPages();
  const found = (c: Context, id: string): JobRecord => {
    const job = core.job(id, NAME, core.ownerOf(c.req.raw));
    return settled(core, job ?? refuse(404, `Batch ${id} not found`));
  };
  // Clients compare the times of batches with the server's.
  app.use("*", async (c, next) => {
    await next();
    c.res.headers.set("date", new Date(core.now()).toUTCString());
  });
  app.post(
    "/v1/batches",
    (c) => answerCreate(c, core, async () => c.json(await encode(core, await create(c, core)))),
  );
  app.get("/v1/batches", (c) =>
    answerRequest(c, core, async () => {
      const jobs = core.jobs(NAME, core.ownerOf(c.req.raw));
      const size = pageSize(c, core, "limit", 100, 100);
      const start = Number(c.req.query("pagination_token") ?? 0);
      const batches: Json[] = [];
      for (const job of jobs.slice(start, start + size)) batches.push(await encode(core, job));
      const hasMore = start + size < jobs.length;
      return c.json({ batches, pagination_token: hasMore ? String(start + size) : null });
    }));
  app.get(
    "/v1/batches/:id",
    (c) => answerPoll(c, core, async () => c.json(await encode(core, found(c, c.req.param("id"))))),
  );
  app.post("/v1/batches/:call", (c) =>
    answerRequest(c, core, async () => {
      const [id, verb] = c.req.param("call").split(":");
      if (verb !== "cancel") refuse(404, `Unknown operation ${verb ?? ""}`);
      return c.json(await encode(core, await core.cancel(found(c, id))));
    }));
  app.post("/v1/batches/:id/requests", (c) =>
    answerRequest(c, core, async () => {
      await addRows(c, core, found(c, c.req.param("id")));
      return c.json(null);
    }));
  app.get("/v1/batches/:id/results", (c) =>
    answerRequest(
      c,
      core,
      () => resultsPage(c, core, pages, found(c, c.req.param("id"))),
    ));
}

/** xAI's batches. */
export const xaiBatches: BatchApiServer = {
  name: NAME,
  vendors: ["xai"],
  paths: /^\/v1\/batches(\/|$)/,
  parseRow,
  addRoutes,
};
