/**
 * Serves the batch API of OpenAI, Azure OpenAI and Groq.
 *
 * Sources: OpenAI API reference, "Batch"; Azure OpenAI, "Batch REST API"; the types of groq-sdk.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { asObject, asText, type Json } from "../../json/json.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchVendor } from "./batch_options.ts";
import type { BatchCore } from "./core.ts";
import { createWithFaults, failedPoll } from "./create_job.ts";
import type { JobRecord } from "./job.ts";
import { mockPath } from "./mock_path.ts";
import { addFileRoutes, openaiFiles } from "./openai_files.ts";
import { encodeBatch, limitIn, pageOf } from "./openai_object.ts";
import { encodeOpenaiOutcome, parseOpenaiRow, scanInput, versioned } from "./openai_rows.ts";
import { readJson } from "./read_body.ts";

const NAME = "openai";
const ENDPOINTS = [
  "/v1/responses",
  "/v1/chat/completions",
  "/v1/embeddings",
  "/v1/completions",
  "/v1/moderations",
];
const HOUR = 3_600_000;

/** Which of the providers of this API a request is for. */
function vendorOf(request: Request, usual: BatchVendor | undefined): BatchVendor {
  const { pathname, searchParams } = new URL(request.url);
  const { vendor } = mockPath(pathname);
  if (vendor !== undefined) return vendor;
  if (usual !== undefined && openaiBatches.vendors.includes(usual)) return usual;
  if (request.headers.has("api-key") || searchParams.has("api-version")) return "azure";
  return /groq/i.test(request.headers.get("user-agent") ?? "") ? "groq" : "openai";
}

interface Refusal {
  message: string;
  param: string;
  status?: number;
}

/** Milliseconds of a completion window; `undefined` if the provider does not have it. */
function windowOf(text: unknown, vendor: BatchVendor): number | undefined {
  if (text === "24h") return 24 * HOUR;
  const [, number, unit] = /^(\d{1,3})([hd])$/.exec(String(text)) ?? [];
  const hours = Number(number) * (unit === "d" ? 24 : 1);
  return vendor === "groq" && hours >= 24 && hours <= 168 ? hours * HOUR : undefined;
}

function metadataProblem(metadata: unknown): string | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  const object = asObject(metadata);
  if (object === undefined) return "Invalid type for 'metadata': expected an object.";
  const pairs = Object.entries(object);
  if (pairs.length > 16) return "Invalid 'metadata': too many properties; the maximum is 16.";
  const bad = pairs.find(([key, value]) =>
    key.length > 64 || typeof value !== "string" || value.length > 512
  );
  return bad && `Invalid 'metadata.${bad[0]}': expected a string of at most 512 characters, with ` +
      "a key of at most 64.";
}

/** Checks the body of a create, in the order in which OpenAI does. */
function createProblem(body: Json, vendor: BatchVendor): Refusal | undefined {
  for (const param of ["input_file_id", "endpoint", "completion_window"]) {
    if (typeof body[param] !== "string") {
      return { message: `Missing required parameter: '${param}'.`, param };
    }
  }
  if (!ENDPOINTS.includes(versioned(body.endpoint as string))) {
    const names = ENDPOINTS.map((name) => `'${name}'`).join(", ");
    const message = `Invalid value: '${body.endpoint}'. Supported values are: ${names}.`;
    return { message, param: "endpoint" };
  }
  if (windowOf(body.completion_window, vendor) === undefined) {
    const message = `Invalid value: '${body.completion_window}'. Value must be '24h'.`;
    return { message, param: "completion_window" };
  }
  const message = metadataProblem(body.metadata);
  return message === undefined ? undefined : { message, param: "metadata" };
}

async function commit(
  c: Context,
  core: BatchCore,
  body: Json,
  vendor: BatchVendor,
): Promise<Response> {
  const owner = core.ownerOf(c.req.raw);
  const inputFile = body.input_file_id as string;
  const file = core.file(inputFile, NAME, owner);
  if (file === undefined || core.takeFault("file_not_found") !== undefined) {
    const message = `Invalid 'input_file_id': cannot find file ${inputFile}.`;
    return core.reject(c.req.raw, { status: 400, message, param: "input_file_id", code: null });
  }
  if (file.purpose !== "batch") {
    const message = `File ${inputFile} has the purpose '${file.purpose}'; expected 'batch'.`;
    return core.reject(c.req.raw, { status: 400, message, param: "input_file_id" });
  }
  const endpoint = body.endpoint as string;
  const scan = await scanInput(core.content(file.id, file.bytes), {
    endpoint,
    maxRows: vendor === "azure" ? 100_000 : 50_000,
    mixed: vendor === "groq",
    isAzure: vendor === "azure",
  });
  const outputExpiry = asObject(body.output_expires_after)?.seconds;
  const job = core.createJob({
    ...scan,
    id: core.newId("batch_"),
    api: NAME,
    owner,
    input: file.id,
    inputBytes: file.bytes,
    // Azure's batches run on after their target time.
    window: vendor === "azure" ? 365 * 24 * HOUR : windowOf(body.completion_window, vendor),
    details: {
      vendor,
      endpoint,
      inputFile,
      window: body.completion_window,
      metadata: body.metadata,
      outputExpiresAfter: outputExpiry,
    },
  });
  return c.json(await encodeBatch(core, job));
}

async function encodeList(
  c: Context,
  core: BatchCore,
  vendor: BatchVendor,
): Promise<Response> {
  const { after, cursor } = c.req.query();
  const ids = c.req.queries("id") ?? [];
  const limit = limitIn(c.req.query("limit"), 20, 100);
  if (limit === undefined) {
    const message = "Invalid 'limit': expected an integer from 1 to 100.";
    return core.reject(c.req.raw, { status: 400, message, param: "limit" });
  }
  if (ids.length > 200) {
    const message = "Invalid 'id': at most 200 ids are supported.";
    return core.reject(c.req.raw, { status: 400, message, param: "id" });
  }
  const jobs = core.jobs(NAME, core.ownerOf(c.req.raw))
    .filter(({ id }) => ids.length === 0 || ids.includes(id));
  const most = core.takeFault("list_page") ?? limit;
  const { page, hasMore } = pageOf(jobs, vendor === "groq" ? cursor : after, Math.min(limit, most));
  const data: Json[] = [];
  for (const job of page) data.push(await encodeBatch(core, job));
  const last = asText(data.at(-1)?.id) ?? null;
  if (vendor === "groq") {
    const paging = hasMore ? { next_cursor: last } : {};
    return c.json({ object: "list", data, paging });
  }
  const first = asText(data[0]?.id) ?? null;
  return c.json({ object: "list", data, first_id: first, last_id: last, has_more: hasMore });
}

function addRoutes(app: Hono, core: BatchCore): void {
  addFileRoutes(app, core, openaiFiles(NAME, encodeOpenaiOutcome, core.reject));
  const vendorFor = (c: Context) => vendorOf(c.req.raw, core.settings.api);
  const jobOf = (c: Context) => core.job(c.req.param("id") ?? "", NAME, core.ownerOf(c.req.raw));
  const noJob = (c: Context) => {
    const message = `No batch found with id '${c.req.param("id")}'.`;
    return core.reject(c.req.raw, { status: 404, message, code: null });
  };
  for (const prefix of ["", "/v1"]) {
    app.post(`${prefix}/batches`, async (c) => {
      const vendor = vendorFor(c);
      const body = await readJson(c.req.raw);
      const problem: Refusal | undefined = body === undefined
        ? { message: "We could not parse the JSON body of your request.", param: "" }
        : createProblem(body, vendor);
      if (problem !== undefined) return core.reject(c.req.raw, { status: 400, ...problem });
      return createWithFaults(core, c.req.raw, () => commit(c, core, body!, vendor));
    });
    app.get(`${prefix}/batches`, (c) => encodeList(c, core, vendorFor(c)));
    app.get(`${prefix}/batches/:id`, async (c) => {
      const failed = failedPoll(core, c.req.raw);
      if (failed !== undefined) return failed;
      const job = jobOf(c);
      return job === undefined ? noJob(c) : c.json(await encodeBatch(core, job));
    });
    app.post(`${prefix}/batches/:id/cancel`, async (c) => {
      await readJson(c.req.raw);
      const job = jobOf(c);
      if (job === undefined) return noJob(c);
      const { isFinal, phase } = await core.state(job);
      if (isFinal) {
        const message = `Cannot cancel a batch with status '${phase}'.`;
        return core.reject(c.req.raw, { status: 409, message, code: null });
      }
      return c.json(await encodeBatch(core, await core.cancel(job) as JobRecord));
    });
  }
}

/** OpenAI's batch API, with the differences of Azure and Groq. */
export const openaiBatches: BatchApiServer = {
  name: NAME,
  vendors: ["openai", "azure", "groq"],
  paths: /^(\/v1)?\/(files|batches)(\/|$)/,
  parseRow: parseOpenaiRow,
  addRoutes,
};
