/**
 * The mock of the Gemini API's files: resumable uploads, and downloads of results.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { asObject, asText } from "../../json/json.ts";
import { addressOf, answerRequest, jsonLines, pageSize } from "./answer_request.ts";
import { streamOf } from "./blobs.ts";
import { dropConnection } from "./broken_connection.ts";
import type { BatchCore, FileRecord } from "./core.ts";
import { encodeGeminiFile, FILE_LIFETIME } from "./gemini_objects.ts";
import { outputJob, outputLines, removeOutput } from "./gemini_output.ts";
import { ResumableUpload } from "./gemini_upload.ts";
import { describeBody, readJson } from "./read_body.ts";
import { refuse } from "./stored_rows.ts";

/** The name that files and jobs are stored with. */
export const NAME = "gemini";

const FILES = "/:version{v1(?:beta)?}/files";
const UPLOADS = `/upload${FILES}`;
const MAX_BYTES = 2_000_000_000;
/** Chunks other than the last one have a multiple of this size. */
const GRANULARITY = 262_144;

/** What the API says about files of others, and about missing ones. */
function noPermission(id: string): never {
  return refuse(403, `You do not have permission to access the File ${id} or it may not exist.`);
}

/** A file that the key may use. */
export function findFile(core: BatchCore, request: Request, id: string): FileRecord {
  return core.file(id, NAME, core.ownerOf(request)) ?? noPermission(id);
}

function encode({ id, name, bytes, createdAt, details }: FileRecord, base: string) {
  return encodeGeminiFile({
    id,
    displayName: name === "" ? undefined : name,
    mimeType: asText(details?.mimeType) ?? "application/octet-stream",
    sizeBytes: bytes,
    createdAt,
  }, base);
}

/** The address of the API, with its version. */
function baseOf(c: Context): string {
  return addressOf(c).replace(/\/(?:upload\/|download\/)?(v1(?:beta)?)\/files.*$/, "/$1");
}

async function start(
  c: Context,
  core: BatchCore,
  uploads: Map<string, ResumableUpload>,
): Promise<Response> {
  const headers = c.req.raw.headers;
  const size = Number(headers.get("x-goog-upload-header-content-length") ?? 0);
  if (size > MAX_BYTES) refuse(400, `File size ${size} exceeds the maximum of ${MAX_BYTES} bytes.`);
  const body = await readJson(c.req.raw) ?? refuse(400, "Invalid JSON payload received.");
  const file = asObject(body.file) ?? {};
  const given = asText(file.name)?.replace(/^files\//, "");
  const owner = core.ownerOf(c.req.raw);
  if (given !== undefined && core.file(given, NAME, owner) !== undefined) {
    refuse(409, `The file files/${given} already exists.`);
  }
  const mimeType = headers.get("x-goog-upload-header-content-type") ?? asText(file.mimeType);
  const id = given ?? core.newId("").slice(0, 12);
  const upload = new ResumableUpload((content) =>
    core.storeFile(id, content, () => ({
      api: NAME,
      owner,
      name: asText(file.displayName) ?? asText(file.display_name) ?? "",
      purpose: "upload",
      expiresAt: core.now() + FILE_LIFETIME,
      details: { mimeType: mimeType ?? "application/octet-stream" },
    }))
  );
  const uploadId = core.newId("");
  uploads.set(uploadId, upload);
  return c.json({}, 200, {
    "x-goog-upload-url": `${addressOf(c)}?upload_id=${uploadId}&upload_protocol=resumable`,
    "x-goog-upload-status": "active",
    "x-goog-upload-chunk-granularity": String(GRANULARITY),
  });
}

async function proceed(c: Context, core: BatchCore, upload: ResumableUpload): Promise<Response> {
  const commands = (c.req.header("x-goog-upload-command") ?? "").split(",").map((x) => x.trim());
  const state = () => ({
    "x-goog-upload-status": upload.file === undefined ? "active" : "final",
    "x-goog-upload-size-received": String(upload.received),
  });
  if (commands.includes("query")) return c.body(null, 200, state());
  if (commands.includes("cancel")) {
    await upload.cancel();
    return c.body(null, 200, { "x-goog-upload-status": "cancelled" });
  }
  if (upload.file !== undefined) {
    return c.json({ file: encode(upload.file, baseOf(c)) }, 200, state());
  }
  if (commands.includes("upload")) {
    const offset = Number(c.req.header("x-goog-upload-offset") ?? 0);
    if (offset !== upload.received) {
      const message = `Invalid offset ${offset}: ${upload.received} bytes have been received.`;
      return c.json({ error: { code: 400, message, status: "INVALID_ARGUMENT" } }, 400, state());
    }
    await upload.receive(c.req.raw.body);
    describeBody(c.req.raw, `{"upload":"${upload.received - offset} bytes"}`);
  }
  if (!commands.includes("finalize")) return c.body(null, 200, state());
  const file = await upload.finish();
  if (core.takeFault("upload_drop") !== undefined) return dropConnection(c.req.raw);
  return c.json({ file: encode(file, baseOf(c)) }, 200, state());
}

async function download(c: Context, core: BatchCore, id: string): Promise<Response> {
  const job = outputJob(core, core.ownerOf(c.req.raw), id);
  if (job !== undefined) {
    if ((await core.state(job)).phase !== "completed") noPermission(id);
    return jsonLines(c, core, "application/jsonl", outputLines(core, job));
  }
  const file = findFile(core, c.req.raw, id);
  // Real files can only be downloaded if the API made them.
  return new Response(streamOf(core.content(file.id, file.bytes)), {
    headers: { "content-type": "application/octet-stream" },
  });
}

/** Adds the routes of files. */
export function addFileRoutes(app: Hono, core: BatchCore): void {
  const uploads = new Map<string, ResumableUpload>();
  app.on(["POST", "PUT"], UPLOADS, (c) =>
    answerRequest(c, core, () => {
      const uploadId = c.req.query("upload_id");
      if (uploadId !== undefined) {
        const upload = uploads.get(uploadId);
        return proceed(c, core, upload ?? refuse(404, "Upload not found."));
      }
      const command = c.req.header("x-goog-upload-command");
      if (c.req.header("x-goog-upload-protocol") !== "resumable" || command !== "start") {
        refuse(400, "Only resumable uploads are supported. Start one with X-Goog-Upload-Command.");
      }
      return start(c, core, uploads);
    }));
  app.get(FILES, (c) =>
    answerRequest(c, core, () => {
      const files = core.files(NAME, core.ownerOf(c.req.raw));
      const size = pageSize(c, core, "pageSize", 10, 100);
      const from = Number(c.req.query("pageToken") ?? 0);
      const page = files.slice(from, from + size).map((file) => encode(file, baseOf(c)));
      const next = from + size < files.length ? { nextPageToken: String(from + size) } : {};
      return c.json({ files: page, ...next });
    }));
  for (const path of [FILES, `/download${FILES}`]) {
    app.get(`${path}/:name`, (c) =>
      answerRequest(c, core, async () => {
        const [id, verb] = c.req.param("name").split(":");
        if (verb === "download") return await download(c, core, id);
        const job = outputJob(core, core.ownerOf(c.req.raw), id);
        if (job === undefined) return c.json(encode(findFile(core, c.req.raw, id), baseOf(c)));
        const { phase, endedAt = job.createdAt } = await core.state(job);
        if (phase !== "completed") noPermission(id);
        return c.json(encodeGeminiFile({
          id,
          mimeType: "application/jsonl",
          createdAt: endedAt,
          isOutput: true,
        }, baseOf(c)));
      }));
  }
  app.delete(`${FILES}/:name`, (c) =>
    answerRequest(c, core, () => {
      const id = c.req.param("name");
      const job = outputJob(core, core.ownerOf(c.req.raw), id);
      if (job !== undefined) removeOutput(core, job);
      else core.deleteFile(findFile(core, c.req.raw, id));
      return c.json({});
    }));
}
