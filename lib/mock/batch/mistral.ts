/**
 * Serves Mistral's batch API: jobs over files or over rows in the request.
 *
 * Source: the types of `@mistralai/mistralai`; Mistral API reference, "Batch".
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { Context, Hono } from "hono";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import type { ServerError } from "../../protocols/serve.ts";
import { addFacts } from "../access_log.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchCore, FileRecord } from "./core.ts";
import { createWithFaults, failedPoll } from "./create_job.ts";
import type { JobRecord } from "./job.ts";
import { encodeMistralFile, encodeMistralJob, MISTRAL } from "./mistral_objects.ts";
import { addFileRoutes, type FileApi } from "./openai_files.ts";
import { limitIn } from "./openai_object.ts";
import { encodeOpenaiOutcome, scanInput } from "./openai_rows.ts";
import { readJson } from "./read_body.ts";

const PURPOSES = ["fine-tune", "batch", "ocr"];
const MAX_INLINE = 10_000;
const HOUR = 3_600_000;

/** Mistral's errors have no envelope. */
function reject(request: Request, { status, message, param, code }: ServerError): Response {
  addFacts(request, { error: message });
  const type = status === 404 ? "not_found" : "invalid_request_error";
  const body = { object: "error", message, type, param: param ?? null, code: code ?? null };
  return Response.json(body, { status });
}

const FILES: FileApi = {
  api: MISTRAL,
  newId: () => randomUUID(),
  describe: (_, owner) => ({ purpose = "fine-tune" }, name) => {
    if (PURPOSES.includes(purpose)) return { api: MISTRAL, owner, name, purpose };
    return { message: `Invalid purpose: expected ${PURPOSES.join(", ")}, got ${purpose}.` };
  },
  maxBytes: 512_000_000,
  encodeFile: encodeMistralFile,
  encodeList(c, _, all) {
    const { purpose } = c.req.query();
    const files = all.filter((file) => purpose === undefined || file.purpose === purpose);
    const size = limitIn(c.req.query("page_size"), 100, 1000) ?? 100;
    const start = Number(c.req.query("page") ?? 0) * size;
    const data = files.slice(start, start + size).map(encodeMistralFile);
    return c.json({ object: "list", data, total: files.length });
  },
  encodeOutcome: encodeOpenaiOutcome,
  reject,
};

/** Stores the rows of a request as a file, as Mistral does. */
function storeInline(core: BatchCore, owner: string, rows: readonly Json[]): Promise<FileRecord> {
  const lines = function* () {
    for (const row of rows) yield Buffer.from(`${JSON.stringify(row)}\n`);
  };
  return core.storeFile(randomUUID(), lines(), () => ({
    api: MISTRAL,
    owner,
    name: "inline.jsonl",
    purpose: "batch",
  }));
}

function createProblem(body: Json | undefined): string | undefined {
  if (body === undefined) return "The body must be a JSON object.";
  if (typeof body.endpoint !== "string") return "Field required: endpoint";
  const hasFiles = Array.isArray(body.input_files) && body.input_files.length > 0;
  if (hasFiles === Array.isArray(body.requests)) {
    return "Expected either input_files or requests.";
  }
  if (Array.isArray(body.requests)) {
    if (body.requests.length === 0) return "requests: List should have at least 1 item";
    if (body.requests.length > MAX_INLINE) return `requests: at most ${MAX_INLINE} items`;
    if (body.requests.some((row) => asObject(asObject(row)?.body) === undefined)) {
      return "requests: every item needs a body";
    }
  } else if ((body.input_files as unknown[]).length > 1) {
    return "input_files: the mock takes one file";
  }
  const hours = body.timeout_hours ?? 24;
  if (typeof hours !== "number" || !(hours > 0 && hours <= 168)) {
    return "timeout_hours: expected hours up to 168";
  }
  const metadata = body.metadata ?? {};
  const values = asObject(metadata) && Object.values(metadata);
  const isText = values?.every((value) => typeof value === "string");
  return isText ? undefined : "metadata: expected an object with texts";
}

async function commit(c: Context, core: BatchCore, body: Json): Promise<Response> {
  const owner = core.ownerOf(c.req.raw);
  const endpoint = body.endpoint as string;
  const inline = Array.isArray(body.requests) ? asObjects(body.requests) : undefined;
  const id = asText((body.input_files as unknown[] | undefined)?.[0]) ?? "";
  const file = inline === undefined
    ? core.file(id, MISTRAL, owner)
    : await storeInline(core, owner, inline);
  if (file === undefined || core.takeFault("file_not_found") !== undefined) {
    return reject(c.req.raw, { status: 404, message: `File with ID ${id} not found.` });
  }
  const { problem, rows, tokens } = await scanInput(core.content(file.id, file.bytes), {
    endpoint,
    maxRows: 1_000_000,
    mixed: true,
    isAzure: false,
    needsRequest: false,
    needsId: false,
    needsModel: false,
  });
  const job = core.createJob({
    problem,
    rows,
    tokens,
    model: asText(body.model),
    id: randomUUID(),
    api: MISTRAL,
    owner,
    input: file.id,
    inputBytes: file.bytes,
    window: Number(body.timeout_hours ?? 24) * HOUR,
    details: { endpoint, inputFiles: [file.id], metadata: body.metadata },
  });
  return c.json(await encodeMistralJob(core, job));
}

/** Parameters of a list. Others filter by metadata: the SDK sends `{nonce: "x"}` as `nonce=x`. */
const LIST_PARAMETERS = [
  "agent_id",
  "created_after",
  "created_by_me",
  "metadata",
  "model",
  "order_by",
  "page",
  "page_size",
  "status",
];

/** The filter of a list. Metadata is also taken as JSON and as `metadata[key]=value`. */
function isListed(job: JobRecord, c: Context): boolean {
  const query = new URL(c.req.url).searchParams;
  const { model, created_after } = c.req.query();
  if (model !== undefined && job.model !== model) return false;
  if (created_after !== undefined && job.createdAt < Date.parse(created_after)) return false;
  const wanted: [string, string][] = [];
  for (const [name, value] of query) {
    const key = /^metadata\[(.+)\]$/.exec(name)?.[1];
    if (key !== undefined) wanted.push([key, value]);
    else if (!LIST_PARAMETERS.includes(name)) wanted.push([name, value]);
    if (name !== "metadata") continue;
    try {
      wanted.push(...Object.entries(JSON.parse(value) as Record<string, string>));
    } catch {
      return false;
    }
  }
  const metadata = asObject(job.details.metadata) ?? {};
  return wanted.every(([key, value]) => metadata[key] === value);
}

async function list(c: Context, core: BatchCore): Promise<Response> {
  const statuses = c.req.queries("status") ?? [];
  const listed = core.jobs(MISTRAL, core.ownerOf(c.req.raw)).filter((job) => isListed(job, c));
  if (c.req.query("order_by") === "created") listed.reverse();
  const size = core.takeFault("list_page") ?? limitIn(c.req.query("page_size"), 100, 1000) ?? 100;
  const start = Number(c.req.query("page") ?? 0) * size;
  const page = <T>(jobs: readonly T[]) => jobs.slice(start, start + size);
  const encode = async (jobs: readonly JobRecord[]) => {
    const encoded: Json[] = [];
    for (const job of jobs) encoded.push(await encodeMistralJob(core, job));
    return encoded;
  };
  // The status of a job is only known once it is encoded, which is slow for long lists.
  if (statuses.length === 0) {
    return c.json({ object: "list", data: await encode(page(listed)), total: listed.length });
  }
  const jobs = (await encode(listed)).filter(({ status }) => statuses.includes(status as string));
  return c.json({ object: "list", data: page(jobs), total: jobs.length });
}

function addRoutes(app: Hono, core: BatchCore): void {
  addFileRoutes(app, core, FILES);
  const withJob = (c: Context, answer: (job: JobRecord) => Response | Promise<Response>) => {
    const job = core.job(c.req.param("id") ?? "", MISTRAL, core.ownerOf(c.req.raw));
    const message = `Batch job with ID ${c.req.param("id")} not found.`;
    return job === undefined ? reject(c.req.raw, { status: 404, message }) : answer(job);
  };
  for (const prefix of ["", "/v1"]) {
    app.post(`${prefix}/batch/jobs`, async (c) => {
      const body = await readJson(c.req.raw);
      const message = createProblem(body);
      if (message !== undefined) return reject(c.req.raw, { status: 422, message });
      return createWithFaults(core, c.req.raw, () => commit(c, core, body!));
    });
    app.get(`${prefix}/batch/jobs`, (c) => list(c, core));
    app.get(
      `${prefix}/batch/jobs/:id`,
      (c) =>
        failedPoll(core, c.req.raw) ??
          withJob(
            c,
            async (job) =>
              c.json(await encodeMistralJob(core, job, c.req.query("inline") === "true")),
          ),
    );
    app.post(`${prefix}/batch/jobs/:id/cancel`, (c) =>
      withJob(c, async (job) => {
        await readJson(c.req.raw);
        const { isFinal } = await core.state(job);
        if (!isFinal) return c.json(await encodeMistralJob(core, await core.cancel(job)));
        return reject(c.req.raw, { status: 409, message: "The job has already ended." });
      }));
    app.delete(`${prefix}/batch/jobs/:id`, (c) =>
      withJob(c, (job) => {
        core.deleteJob(job);
        return c.json({ id: job.id, object: "batch", deleted: true });
      }));
  }
}

/** Mistral's batch API. */
export const mistralBatches: BatchApiServer = {
  name: MISTRAL,
  vendors: ["mistral"],
  paths: /^(\/v1)?\/(files|batch\/jobs)(\/|$)/,
  claims: ({ url, headers }) =>
    /mistral/i.test(headers.get("user-agent") ?? "") ||
    new URL(url).pathname.includes("/batch/jobs"),
  parseRow(line, _, job) {
    const row = asObject(line) ?? {};
    const body = asObject(row.body);
    const model = body?.model ?? job.model;
    return {
      id: asText(row.custom_id) ?? "",
      path: String(job.details.endpoint),
      body: body && { ...body, model },
    };
  },
  addRoutes,
};
