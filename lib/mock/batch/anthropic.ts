/**
 * The mock of Anthropic's Message Batches API.
 *
 * Source: Anthropic API reference, "Message Batches"; see also `anthropic_objects.ts`.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { asObject, asText, type Json } from "../../json/json.ts";
import {
  addressOf,
  answerCreate,
  answerPoll,
  answerRequest,
  jsonLines,
  pageSize,
} from "./answer_request.ts";
import {
  encodeMessageBatch,
  encodeMessageResult,
  type MessageOutcome,
  messageRowProblem,
} from "./anthropic_objects.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchCore } from "./core.ts";
import { type InlineBody, readInlineRequests } from "./inline_requests.ts";
import type { JobRecord } from "./job.ts";
import { describeBody } from "./read_body.ts";
import { type RowOutcome, rowOutcomes } from "./results.ts";
import type { BatchRow } from "./row_answers.ts";
import { refuse, storeRows } from "./stored_rows.ts";

const NAME = "anthropic";
const BATCHES = "/v1/messages/batches";
const MAX_ROWS = 100_000;
const MAX_BYTES = 256_000_000;
/** Fields that the Messages API has, and its batches have not. */
const REFUSED_FIELDS = ["speed", "store", "cache_hint", "context_hint"];

/** A row that batches refuse when it runs. */
interface MessageRow extends BatchRow {
  refused?: string;
}

/** Why batches refuse what the Messages API accepts. */
function refusal(params: Json): string | undefined {
  if (params.stream === true) return "stream: streaming is not supported in batches";
  if (params.max_tokens === 0) return "max_tokens: must be at least 1 in batches";
  const name = REFUSED_FIELDS.find((name) => params[name] !== undefined);
  return name && `${name}: not supported in batches`;
}

function parseRow(line: unknown): MessageRow {
  const { custom_id, params } = asObject(line) ?? {};
  const body = asObject(params) ?? {};
  const id = asText(custom_id) ?? "";
  const refused = refusal(body);
  if (refused === undefined) return { id, path: "/v1/messages", body };
  return { id, path: "/__row_error/400/v1/messages", body, refused };
}

/** The rows of a create, checked. The last value is the rest of the body. */
async function* checkedRows(request: Request): AsyncGenerator<unknown, InlineBody, void> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BYTES) {
    refuse(413, "Request exceeds the maximum size");
  }
  const ids = new Set<string>();
  const reading = readInlineRequests(request.body, "requests");
  while (true) {
    const { value, done } = await reading.next();
    if (done) return value as InlineBody;
    const problem = messageRowProblem(value, ids.size, ids);
    if (problem !== undefined) refuse(400, problem);
    ids.add((value as { custom_id: string }).custom_id);
    if (ids.size > MAX_ROWS) {
      refuse(400, `requests: List should have at most ${MAX_ROWS} items after validation`);
    }
    yield value;
  }
}

/** Throws if the job that was just created is one that this API refuses at once. */
function refuseInvalid(core: BatchCore, job: JobRecord): void {
  const { problem } = job;
  if (problem === undefined) return;
  core.deleteJob(job);
  if (problem.line === undefined) {
    refuse(429, "The number of requests in your batches exceeds your organization's limit.");
  }
  refuse(400, `requests.${problem.line - 1}.custom_id: Field required`);
}

async function create(c: Context, core: BatchCore): Promise<JobRecord> {
  const owner = core.ownerOf(c.req.raw);
  const stored = await storeRows(
    core,
    { api: NAME, owner },
    checkedRows(c.req.raw),
    (row) => asObject(row)?.params,
  );
  describeBody(c.req.raw, `{"requests":"${stored.rows} requests"}`);
  if (stored.rows === 0) refuse(400, "requests: List should have at least 1 item after validation");
  const id = core.newId("msgbatch_");
  const job = core.createJob({ id, api: NAME, owner, ...stored, details: {} });
  refuseInvalid(core, job);
  return job;
}

function outcomeOf({ answer, notRun }: RowOutcome): MessageOutcome {
  if (answer === undefined) return { reason: notRun === "expired" ? "expired" : "canceled" };
  const { status, body, requestId } = answer;
  const object = asObject(body) ?? {};
  const { refused } = answer.row as MessageRow;
  if (refused !== undefined && status === 400) {
    const error = { type: "invalid_request_error", message: refused };
    return { status, body: { ...object, error, request_id: requestId } };
  }
  if (status >= 400) return { status, body: { ...object, request_id: requestId } };
  return {
    status,
    body: { ...object, usage: { ...asObject(object.usage), service_tier: "batch" } },
  };
}

async function encode(core: BatchCore, job: JobRecord, url: string): Promise<Json> {
  const state = await core.state(job);
  const { succeeded, failed: errored } = core.totals(job, state);
  const rest = job.rows - state.done;
  const isExpired = state.phase === "expired";
  const counts = {
    succeeded,
    errored,
    canceled: isExpired ? 0 : rest,
    expired: isExpired ? rest : 0,
  };
  return encodeMessageBatch(job, state, counts, url);
}

async function* results(core: BatchCore, job: JobRecord): AsyncGenerator<unknown> {
  const state = await core.state(job);
  const all = { succeeded: true, failed: true, notRun: true };
  for await (const outcome of rowOutcomes(core, job, state, all)) {
    yield encodeMessageResult(outcome.id, outcomeOf(outcome));
  }
}

/** The page of a list that the cursors select. */
function pageOf(c: Context, jobs: JobRecord[], limit: number): [JobRecord[], hasMore: boolean] {
  const position = (name: string) => {
    const id = c.req.query(name);
    if (id === undefined) return undefined;
    const index = jobs.findIndex((job) => job.id === id);
    return index < 0 ? refuse(400, `${name}: Invalid cursor '${id}'`) : index;
  };
  const before = position("before_id");
  if (before !== undefined) {
    const start = Math.max(0, before - limit);
    return [jobs.slice(start, before), start > 0];
  }
  const start = (position("after_id") ?? -1) + 1;
  return [jobs.slice(start, start + limit), start + limit < jobs.length];
}

function addRoutes(app: Hono, core: BatchCore): void {
  const found = (c: Context): JobRecord => {
    const id = c.req.param("id")!;
    const job = core.job(id, NAME, core.ownerOf(c.req.raw));
    return job ?? refuse(404, `No batch found with id ${id}`);
  };
  app.post(BATCHES, (c) =>
    answerCreate(c, core, async () => {
      const job = await create(c, core);
      return c.json(await encode(core, job, `${addressOf(c)}/${job.id}`));
    }));
  app.get(BATCHES, (c) =>
    answerRequest(c, core, async () => {
      const jobs = core.jobs(NAME, core.ownerOf(c.req.raw));
      const [page, has_more] = pageOf(c, jobs, pageSize(c, core, "limit", 20, 1000));
      const data = await Promise.all(
        page.map((job) => encode(core, job, `${addressOf(c)}/${job.id}`)),
      );
      return c.json({
        data,
        has_more,
        first_id: page[0]?.id ?? null,
        last_id: page.at(-1)?.id ?? null,
      });
    }));
  app.get(
    `${BATCHES}/:id`,
    (c) => answerPoll(c, core, async () => c.json(await encode(core, found(c), addressOf(c)))),
  );
  app.post(`${BATCHES}/:id/cancel`, (c) =>
    answerRequest(c, core, async () => {
      const job = found(c);
      if ((await core.state(job)).isFinal) {
        refuse(400, `Batch ${job.id} cannot be canceled because it has already ended.`);
      }
      return c.json(await encode(core, await core.cancel(job), addressOf(c, 1)));
    }));
  app.delete(`${BATCHES}/:id`, (c) =>
    answerRequest(c, core, async () => {
      const job = found(c);
      if (!(await core.state(job)).isFinal) {
        refuse(400, `Batch ${job.id} is still in progress; cancel it before deleting it.`);
      }
      core.deleteJob(job);
      return c.json({ id: job.id, type: "message_batch_deleted" });
    }));
  app.get(`${BATCHES}/:id/results`, (c) =>
    answerRequest(c, core, async () => {
      const job = found(c);
      if (!(await core.state(job)).isFinal) {
        refuse(404, `Batch ${job.id} has no available results.`);
      }
      return jsonLines(c, core, "application/x-jsonl", results(core, job));
    }));
}

/** Anthropic's Message Batches. */
export const anthropicBatches: BatchApiServer = {
  name: NAME,
  vendors: ["anthropic"],
  paths: /^\/v1\/messages\/batches(\/|$)/,
  parseRow,
  addRoutes,
};
