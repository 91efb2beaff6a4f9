/**
 * Serves OpenAI's files: upload, list, content and deletion.
 *
 * Source: OpenAI API reference, "Files".
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { addFacts } from "../access_log.ts";
import { streamOf } from "./blobs.ts";
import { cutBody, dropConnection } from "./broken_connection.ts";
import type { BatchCore, FileRecord } from "./core.ts";
import { encodeFile, limitIn, pageOf } from "./openai_object.ts";
import { type EncodeOutcome, measured, resultContent } from "./result_files.ts";
import { type DescribeUpload, storeUpload } from "./upload.ts";

/** What the file API of a provider has of its own. */
export interface FileApi {
  /** The name of the batch API that the files are stored with. */
  api: string;
  newId(core: BatchCore): string;
  /** Makes the record of an upload from its form. Absent if files are uploaded in another way. */
  describe?(core: BatchCore, owner: string): DescribeUpload;
  /** Maximum size of an input, in bytes. */
  maxBytes: number;
  encodeFile(file: FileRecord): unknown;
  encodeList(c: Context, core: BatchCore, files: FileRecord[]): Response;
  encodeOutcome: EncodeOutcome;
  reject: BatchCore["reject"];
}

const MONTH = 30 * 86_400;
const PURPOSES = ["assistants", "batch", "evals", "fine-tune", "user_data", "vision"];

/** Answers with the content of a file. */
export async function sendContent(
  c: Context,
  core: BatchCore,
  file: FileRecord,
  encode: EncodeOutcome,
  reject: BatchCore["reject"],
): Promise<Response> {
  const isResult = file.results !== undefined;
  const content = isResult
    ? await resultContent(core, file, encode)
    : streamOf(core.content(file.id, file.bytes));
  if (content === undefined) return reject(c.req.raw, noFile(file.id));
  const isCut = isResult && core.takeFault("cut_download") !== undefined;
  if (isCut) return new Response(cutBody(c.req.raw, content));
  addFacts(c.req.raw, { isOpen: true });
  const headers = { "content-type": "application/octet-stream" };
  return new Response(content, {
    headers: isResult ? headers : { ...headers, "content-length": String(file.bytes) },
  });
}

/** The error for an unknown file. */
export function noFile(id: string) {
  return { status: 404, message: `No such File object: ${id}`, param: "id", code: null };
}

function describeFile(core: BatchCore, api: string, owner: string): DescribeUpload {
  return (fields, name) => {
    const { purpose } = fields;
    if (purpose === undefined) {
      return { message: "'purpose' is a required property", param: "purpose" };
    }
    if (!PURPOSES.includes(purpose)) {
      const expected = PURPOSES.map((name) => `'${name}'`).join(", ");
      return { message: `'${purpose}' is not one of [${expected}] - 'purpose'`, param: "purpose" };
    }
    const after = fields["expires_after[seconds]"];
    const seconds = after === undefined ? purpose === "batch" ? MONTH : undefined : Number(after);
    if (seconds !== undefined && !(seconds >= 3600 && seconds <= MONTH)) {
      return { message: "Invalid 'expires_after.seconds': expected 3600 to 2592000." };
    }
    const expiresAt = seconds === undefined ? undefined : core.now() + seconds * 1000;
    return { api, owner, name, purpose, expiresAt };
  };
}

function encodeList(c: Context, core: BatchCore, all: FileRecord[]): Response {
  const { purpose, after, order } = c.req.query();
  const limit = limitIn(c.req.query("limit"), 10_000, 10_000);
  if (limit === undefined) {
    const message = "Invalid 'limit': expected an integer from 1 to 10000.";
    return core.reject(c.req.raw, { status: 400, message, param: "limit" });
  }
  const files = all.filter((file) => purpose === undefined || file.purpose === purpose);
  const { page, hasMore } = pageOf(order === "asc" ? files.reverse() : files, after, limit);
  return c.json({
    object: "list",
    data: page.map(encodeFile),
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: hasMore,
  });
}

/** OpenAI's file API. */
export function openaiFiles(
  api: string,
  encodeOutcome: EncodeOutcome,
  reject: BatchCore["reject"],
): FileApi {
  return {
    api,
    newId: (core) => core.newId("file-"),
    describe: (core, owner) => describeFile(core, api, owner),
    maxBytes: 200_000_000,
    encodeFile,
    encodeList,
    encodeOutcome,
    reject,
  };
}

/** Adds the routes of files. */
export function addFileRoutes(app: Hono, core: BatchCore, files: FileApi): void {
  const { api, describe, maxBytes, encodeFile, encodeOutcome, reject } = files;
  const withFile = (c: Context, answer: (file: FileRecord) => Response | Promise<Response>) => {
    const id = c.req.param("id") ?? "";
    const file = core.file(id, api, core.ownerOf(c.req.raw));
    return file === undefined ? reject(c.req.raw, noFile(id)) : answer(file);
  };
  for (const prefix of ["", "/v1"]) {
    if (describe !== undefined) {
      app.post(`${prefix}/files`, async (c) => {
        const request = c.req.raw;
        const describing = describe(core, core.ownerOf(request));
        const file = await storeUpload(request, core, files.newId(core), describing);
        if ("message" in file) return reject(request, { status: 400, ...file });
        if (file.bytes > maxBytes && file.purpose === "batch") {
          core.deleteFile(file);
          const message = `The file has ${file.bytes} bytes; the maximum is ${maxBytes}.`;
          return reject(request, { status: 400, message, param: "file" });
        }
        if (core.takeFault("upload_drop") !== undefined) return dropConnection(request);
        return c.json(encodeFile(file) as object);
      });
    }
    app.get(
      `${prefix}/files`,
      (c) => files.encodeList(c, core, core.files(api, core.ownerOf(c.req.raw))),
    );
    app.get(
      `${prefix}/files/:id`,
      (c) =>
        withFile(
          c,
          async (file) => c.json(encodeFile(await measured(core, file, encodeOutcome)) as object),
        ),
    );
    app.delete(`${prefix}/files/:id`, (c) =>
      withFile(c, (file) => {
        core.deleteFile(file);
        return c.json({ id: file.id, object: "file", deleted: true });
      }));
    app.get(
      `${prefix}/files/:id/content`,
      (c) => withFile(c, (file) => sendContent(c, core, file, encodeOutcome, reject)),
    );
  }
}
