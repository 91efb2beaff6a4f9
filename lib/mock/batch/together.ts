/**
 * Serves Together's batch API: uploads through a redirect or a form, jobs without counts.
 *
 * Sources: the types and the upload of together-ai; the undocumented facts come from recorded traffic.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { asText, type Json } from "../../json/json.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchCore, FileRecord } from "./core.ts";
import { createWithFaults, failedPoll } from "./create_job.ts";
import type { JobPhase, JobRecord } from "./job.ts";
import { dropConnection } from "./broken_connection.ts";
import { addFileRoutes, type FileApi } from "./openai_files.ts";
import { encodeOpenaiOutcome, parseOpenaiRow, scanInput } from "./openai_rows.ts";
import { describeBody, readJson } from "./read_body.ts";
import { resultFiles } from "./result_files.ts";
import type { RowOutcome } from "./results.ts";
import { storeUpload } from "./upload.ts";

const NAME = "together";
const PURPOSES = ["fine-tune", "eval", "batch-api"];
const MAX_ROWS = 50_000;
const MAX_BYTES = 100_000_000;
/** The path that uploads are redirected to; the id of the file follows. */
const SIGNED = "/__mock/signed/together/";

/** `CANCELING` is not documented. */
const STATUS: Record<JobPhase, string> = {
  validating: "VALIDATING",
  running: "IN_PROGRESS",
  finalizing: "IN_PROGRESS",
  cancelling: "CANCELING",
  completed: "COMPLETED",
  failed: "FAILED",
  expired: "EXPIRED",
  cancelled: "CANCELLED",
};

function encodeFile({ id, bytes, createdAt, name, purpose }: FileRecord): Json {
  return {
    id,
    object: "file",
    bytes,
    created_at: Math.floor(createdAt / 1000),
    filename: name,
    purpose,
    FileType: "jsonl",
    Processed: true,
    LineCount: 0,
  };
}

/** Failed rows have an error of their own instead of a response. */
function encodeOutcome(outcome: RowOutcome, job: JobRecord): unknown {
  const { id, answer } = outcome;
  if (answer !== undefined && answer.status < 400) return encodeOpenaiOutcome(outcome, job);
  const message = asText((answer?.body as { error?: Json } | undefined)?.error?.message);
  const error = answer === undefined
    ? {
      code: `batch_${outcome.notRun}`,
      message: `The row was not run: the job ${outcome.notRun}.`,
    }
    : { code: "batch_client_error", message: message ?? `status ${answer.status}` };
  return { id: `${job.id}-${outcome.index}`, custom_id: id, error };
}

function date(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

async function encodeJob(core: BatchCore, job: JobRecord): Promise<Json> {
  const state = await core.state(job);
  const { output, error } = resultFiles(core, job, state, (kind) => ({
    id: `file-${kind === "output" ? "o" : "e"}${job.id}`,
    api: NAME,
    owner: job.owner,
    name: `${job.id}_${kind}.jsonl`,
    purpose: "batch-api",
  }));
  const status = STATUS[state.phase];
  const isCapital = job.faults.capital_status !== undefined;
  const { succeeded, failed } = core.reportedTotals(job, state);
  return {
    id: job.id,
    user_id: "mock",
    status: isCapital ? status[0] + status.slice(1).toLowerCase() : status,
    endpoint: job.details.endpoint,
    input_file_id: job.details.inputFile,
    output_file_id: output,
    error_file_id: error ?? (state.isFinal && job.faults.blank_error_file ? "" : undefined),
    error: state.phase === "failed" ? job.problem?.message : undefined,
    file_size_bytes: job.inputBytes,
    progress: state.phase === "completed"
      ? 100
      : Math.round((succeeded + failed) / Math.max(job.rows, 1) * 1000) / 10,
    model_id: job.model,
    created_at: date(job.createdAt),
    job_deadline: date(job.expiresAt),
    completed_at: state.phase === "completed" ? date(state.endedAt) : undefined,
  };
}

function describe(owner: string) {
  return ({ purpose, file_name }: Readonly<Record<string, string>>, name: string) => {
    if (!PURPOSES.includes(purpose)) {
      const message = `Invalid purpose: expected ${PURPOSES.join(", ")}, got ${purpose}.`;
      return { message, param: "purpose" };
    }
    return { api: NAME, owner, name: file_name ?? name, purpose };
  };
}

function files(core: BatchCore): FileApi {
  return {
    api: NAME,
    newId: (core) => core.newId("file-"),
    maxBytes: MAX_BYTES,
    encodeFile,
    encodeList: (c, _, all) => c.json({ data: all.map(encodeFile) }),
    encodeOutcome,
    reject: core.reject,
  };
}

/** An upload that was announced and whose bytes follow. */
interface Announced {
  owner: string;
  name: string;
  purpose: string;
}

function addUploadRoutes(app: Hono, core: BatchCore): void {
  const stored = (c: Context, file: FileRecord) => {
    if (core.takeFault("upload_drop") !== undefined) return dropConnection(c.req.raw);
    return c.json(encodeFile(file));
  };
  const announce = (c: Context) => {
    const { file_name: name, purpose } = c.req.query();
    if (name === undefined || !PURPOSES.includes(purpose)) {
      const message = `Expected file_name and a purpose: ${PURPOSES.join(", ")}.`;
      return core.reject(c.req.raw, { status: 400, message, param: "purpose" });
    }
    const id = core.newId("file-");
    core.putRecord("together_upload", id, { owner: core.ownerOf(c.req.raw), name, purpose });
    const location = `${new URL(c.req.url).origin}${SIGNED}${id}`;
    return new Response(null, { status: 302, headers: { location, "x-together-file-id": id } });
  };
  for (const prefix of ["", "/v1"]) {
    app.post(`${prefix}/files`, announce);
    app.post(`${prefix}/files/upload`, async (c) => {
      const describing = describe(core.ownerOf(c.req.raw));
      const file = await storeUpload(c.req.raw, core, core.newId("file-"), describing);
      return "message" in file ? core.reject(c.req.raw, { status: 400, ...file }) : stored(c, file);
    });
  }
  app.put(`${SIGNED}:id`, async (c) => {
    const id = c.req.param("id");
    const announced = core.record<Announced>("together_upload", id);
    if (announced === undefined) return c.text("AccessDenied", 403);
    const body = c.req.raw.body ?? new ReadableStream({ start: (it) => it.close() });
    const file = await core.storeFile(id, body, () => ({ api: NAME, ...announced }));
    describeBody(c.req.raw, JSON.stringify({ file: `${file.name} (${file.bytes} bytes)` }));
    return c.body(null, 200);
  });
}

async function commit(c: Context, core: BatchCore, body: Json): Promise<Response> {
  const owner = core.ownerOf(c.req.raw);
  const inputFile = body.input_file_id as string;
  const endpoint = body.endpoint as string;
  const found = core.file(inputFile, NAME, owner);
  const isLost = found === undefined || core.takeFault("file_not_found") !== undefined;
  const file = found ?? await core.storeFile(core.newId("none-"), [], () => ({
    api: "none",
    owner,
    name: "",
    purpose: "",
  }));
  const scan = await scanInput(core.content(file.id, file.bytes), {
    endpoint,
    maxRows: MAX_ROWS,
    mixed: true,
    isAzure: false,
    maxId: 64,
    maxLine: 10_000_000,
    needsRequest: false,
  });
  // A wrong file is only noticed by the validation.
  const problem = isLost
    ? { code: "file_not_found", message: `File ${inputFile} not found` }
    : scan.problem;
  const job = core.createJob({
    ...scan,
    problem,
    id: core.newId("batch-"),
    api: NAME,
    owner,
    input: file.id,
    inputBytes: file.bytes,
    details: { endpoint, inputFile },
  });
  return c.json({ job: await encodeJob(core, job) }, 201);
}

function addRoutes(app: Hono, core: BatchCore): void {
  app.use(async (c, next) => {
    // The edge in front of the API refuses clients without a name.
    if (!c.req.header("user-agent")) return c.text("error code: 1010", 403);
    await next();
  });
  addUploadRoutes(app, core);
  addFileRoutes(app, core, files(core));
  const withJob = (c: Context, answer: (job: JobRecord) => Promise<Response>) => {
    const id = c.req.param("id") ?? "";
    const job = core.job(id, NAME, core.ownerOf(c.req.raw));
    const message = `Batch job ${id} not found`;
    return job === undefined
      ? core.reject(c.req.raw, { status: 404, message, code: null })
      : answer(job);
  };
  for (const prefix of ["", "/v1"]) {
    app.post(`${prefix}/batches`, async (c) => {
      const body = await readJson(c.req.raw);
      for (const param of ["input_file_id", "endpoint"]) {
        if (typeof body?.[param] === "string") continue;
        const message = `Missing required parameter: '${param}'.`;
        return core.reject(c.req.raw, { status: 400, message, param });
      }
      return createWithFaults(core, c.req.raw, () => commit(c, core, body!));
    });
    app.get(`${prefix}/batches`, async (c) => {
      const jobs: Json[] = [];
      for (const job of core.jobs(NAME, core.ownerOf(c.req.raw))) {
        jobs.push(await encodeJob(core, job));
      }
      return c.json(jobs);
    });
    app.get(`${prefix}/batches/:id`, (c) =>
      failedPoll(core, c.req.raw) ??
        withJob(c, async (job) => c.json(await encodeJob(core, job))));
    app.post(`${prefix}/batches/:id/cancel`, (c) =>
      withJob(c, async (job) => {
        await readJson(c.req.raw);
        const { isFinal } = await core.state(job);
        if (!isFinal) return c.json(await encodeJob(core, await core.cancel(job)));
        const message = "The batch job has already ended.";
        return core.reject(c.req.raw, { status: 409, message, code: null });
      }));
  }
}

/** Together's batch API. */
export const togetherBatches: BatchApiServer = {
  name: NAME,
  vendors: ["together"],
  paths: /^(\/v1)?\/(files|batches)(\/|$)|^\/__mock\/signed\/together\//,
  claims: ({ url, headers }) =>
    /together/i.test(headers.get("user-agent") ?? "") || url.includes("/__mock/signed/together/"),
  parseRow: (line, _, job) => ({
    ...parseOpenaiRow(line),
    path: String(job.details.endpoint),
  }),
  addRoutes,
};
