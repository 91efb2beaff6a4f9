/**
 * The mock of the Gemini API's batches.
 *
 * Source: Gemini API reference, "Batch API"; see also `gemini_objects.ts`.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { readLinesSync } from "../../files/lines.ts";
import { asObject, asObjects, asText, type Json, tryParse } from "../../json/json.ts";
import { answerCreate, answerPoll, answerRequest, cutByFault, pageSize } from "./answer_request.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchCore, FileRecord } from "./core.ts";
import { addFileRoutes, findFile, NAME } from "./gemini_files.ts";
import { encodeGeminiBatch, type GeminiOutput } from "./gemini_objects.ts";
import { inlinedResponses, outputFile, parseGeminiRow } from "./gemini_output.ts";
import type { JobRecord } from "./job.ts";
import { readJson } from "./read_body.ts";
import { refuse, type StoredRows, storeRows } from "./stored_rows.ts";

/** The version in a path: Google's own package sends `v1`, its documentation `v1beta`. */
const VERSION = "/:version{v1(?:beta)?}";
const BATCHES = `${VERSION}/batches`;
const MAX_INLINE_BYTES = 20_000_000;
/** Batches expire after 48 hours. */
const WINDOW = 48 * 3600 * 1000;
/** Maximum batches that have not ended. */
const MAX_JOBS = 100;

/** A field under either of its spellings. */
function field(object: Json | undefined, name: string): unknown {
  return object?.[name] ?? object?.[name.replace(/[A-Z]/g, (x) => `_${x.toLowerCase()}`)];
}

function* fileRows(core: BatchCore, file: FileRecord): Generator<unknown> {
  for (const { text, number } of readLinesSync(core.content(file.id, file.bytes).read)) {
    if (text.trim() === "") continue;
    const row = asObject(tryParse(text));
    if (asObject(row?.request) === undefined) {
      refuse(400, `Failed to parse the input file: line ${number} is not a valid request.`);
    }
    yield row;
  }
}

function* inlineRows(requests: Json): Generator<unknown> {
  for (const [index, row] of asObjects(requests.requests).entries()) {
    if (asObject(row.request) === undefined) {
      const path = `batch.input_config.requests.requests[${index}]`;
      refuse(400, `Invalid value at '${path}': request is required.`);
    }
    yield row;
  }
}

async function storeInput(
  c: Context,
  core: BatchCore,
  input: Json,
): Promise<StoredRows & { file?: string }> {
  const owner = core.ownerOf(c.req.raw);
  const bodyOf = (row: unknown) => asObject(row)?.request;
  const fileName = asText(field(input, "fileName"));
  if (fileName === undefined) {
    const requests = asObject(input.requests) ?? refuse(400, "batch.input_config is required.");
    if (Number(c.req.header("content-length") ?? 0) > MAX_INLINE_BYTES) {
      refuse(400, `Request payload size exceeds the limit: ${MAX_INLINE_BYTES} bytes.`);
    }
    return await storeRows(core, { api: NAME, owner }, inlineRows(requests), bodyOf);
  }
  const id = fileName.replace(/^files\//, "");
  const isLost = core.takeFault("file_not_found") !== undefined;
  const file = findFile(core, c.req.raw, isLost ? `${id}-lost` : id);
  const stored = await storeRows(core, { api: NAME, owner }, fileRows(core, file), bodyOf);
  return { ...stored, file: fileName };
}

/** Throws if the job that was just created is one that this API refuses at once. */
function refuseInvalid(core: BatchCore, job: JobRecord): void {
  const { problem } = job;
  if (problem === undefined) return;
  core.deleteJob(job);
  if (problem.line === undefined) {
    refuse(429, "You exceeded your current quota of enqueued tokens for this model.");
  }
  refuse(400, `Failed to parse the input file: line ${problem.line} is not a valid request.`);
}

async function create(c: Context, core: BatchCore, model: string): Promise<JobRecord> {
  const body = await readJson(c.req.raw) ?? refuse(400, "Invalid JSON payload received.");
  const owner = core.ownerOf(c.req.raw);
  const batch = asObject(body.batch) ?? refuse(400, "batch is required.");
  const displayName = asText(field(batch, "displayName"));
  const input = asObject(field(batch, "inputConfig")) ??
    refuse(400, "batch.input_config is required.");
  const live = await Promise.all(core.jobs(NAME, owner).map((job) => core.state(job)));
  if (live.filter(({ isFinal }) => !isFinal).length >= MAX_JOBS) {
    refuse(429, `You have reached the limit of ${MAX_JOBS} concurrent batches.`);
  }
  const { file, ...stored } = await storeInput(c, core, input);
  if (stored.rows === 0) refuse(400, "The batch contains no requests.");
  const job = core.createJob({
    id: core.newId(""),
    api: NAME,
    owner,
    ...stored,
    model,
    window: WINDOW,
    details: { displayName, ...(file === undefined ? {} : { file }) },
  });
  refuseInvalid(core, job);
  // A batch that expires has no results, so none of its rows is ever done.
  if (job.faults.expire === undefined) return job;
  const expiring = { ...job, faults: { ...job.faults, expire: 0 } };
  core.putJob(expiring);
  return expiring;
}

async function encode(core: BatchCore, job: JobRecord, hasOutput: boolean): Promise<Json> {
  const state = await core.state(job);
  const totals = core.reportedTotals(job, state);
  if (state.phase !== "completed" || !hasOutput) return encodeGeminiBatch(job, state, totals);
  const output: GeminiOutput = job.details.file === undefined
    ? { inlinedResponses: { inlinedResponses: await inlinedResponses(core, job) } }
    : { responsesFile: `files/${outputFile(job)}` };
  return encodeGeminiBatch(job, state, totals, output);
}

function addRoutes(app: Hono, core: BatchCore): void {
  addFileRoutes(app, core);
  const found = (c: Context, id: string): JobRecord =>
    core.job(id, NAME, core.ownerOf(c.req.raw)) ??
      refuse(404, "Requested entity was not found.");
  app.post(`${VERSION}/models/:call{.+}`, (c) => {
    const model = c.req.param("call").replace(/:batchGenerateContent$/, "");
    return answerCreate(
      c,
      core,
      async () => c.json(await encode(core, await create(c, core, model), false)),
    );
  });
  app.get(BATCHES, (c) =>
    answerRequest(c, core, async () => {
      const jobs = core.jobs(NAME, core.ownerOf(c.req.raw));
      const size = pageSize(c, core, "pageSize", 50, 1000);
      const from = Number(c.req.query("pageToken") ?? 0);
      const page = jobs.slice(from, from + size);
      const operations = await Promise.all(page.map((job) => encode(core, job, false)));
      const next = from + size < jobs.length ? { nextPageToken: String(from + size) } : {};
      return c.json({ operations, ...next });
    }));
  app.get(
    `${BATCHES}/:id`,
    (c) =>
      answerPoll(
        c,
        core,
        async () => {
          const batch = await encode(core, found(c, c.req.param("id")), true);
          const answer = c.json(batch);
          // Inline results are downloaded with the batch.
          const isDownload = asObject(batch.response)?.inlinedResponses !== undefined;
          return isDownload ? cutByFault(c, core, answer) : answer;
        },
      ),
  );
  app.post(`${BATCHES}/:call`, (c) =>
    answerRequest(c, core, async () => {
      const [id, verb] = c.req.param("call").split(":");
      if (verb !== "cancel") refuse(404, "Requested entity was not found.");
      const job = found(c, id);
      const { isFinal } = await core.state(job);
      if (isFinal || job.cancelledAt !== undefined) return c.json({});
      // Its results are lost, so it is as if no row had been done.
      core.putJob({ ...job, cancelledAt: core.now(), doneAtCancel: 0 });
      return c.json({});
    }));
  app.delete(`${BATCHES}/:id`, (c) =>
    answerRequest(c, core, () => {
      // Its file of results is gone with it.
      core.deleteJob(found(c, c.req.param("id")));
      return c.json({});
    }));
}

const PATHS =
  /^\/v1(beta)?\/((batches|files)(\/|$)|models\/.+:batchGenerateContent$)|^\/(upload|download)\/v1(beta)?\/files(\/|$)/;
/** Those of the paths that no other API has. */
const OWN_PATHS =
  /\/v1beta\/|\/(upload|download)\/v1\/files|:(batchGenerateContent|cancel|download)$/;

/** The Gemini API's batches and files. */
export const geminiBatches: BatchApiServer = {
  name: NAME,
  vendors: ["gemini"],
  paths: PATHS,
  claims(request) {
    const { pathname, searchParams } = new URL(request.url);
    return OWN_PATHS.test(pathname) || request.headers.has("x-goog-api-key") ||
      searchParams.has("key");
  },
  parseRow: (line, _index, job) => parseGeminiRow(line, job),
  addRoutes,
};
