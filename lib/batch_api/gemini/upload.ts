/**
 * Uploads the input of a batch to Google's Files API, in chunks.
 *
 * Source: Google, "Resumable uploads", and `@google/genai` 3.3.
 *
 * @module
 */
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asText } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import { requestUrl } from "../../protocols/request.ts";
import type { JobInput, UploadedInput } from "../batch_api.ts";
import type { BatchHttp, BatchResponse } from "../batch_http.ts";
import { asTime } from "../fields.ts";
import { bytesBody } from "../inline_input.ts";
import { labelOf, requireId } from "../job_fields.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** All chunks but the last must be multiples of 256 KiB. */
const CHUNK = 8 * 1024 * 1024;

const TYPE = "application/jsonl";

/**
 * The URL of an operation that is next to the API's version, not under it: `/upload/v1beta/files` instead of
 * `/v1beta/files`. What a proxy has before the version stays where it is.
 */
export function besideVersion(endpoint: Endpoint, name: string, path: string): string {
  const url = new URL(requestUrl(endpoint, ""));
  const base = url.pathname.replace(/\/+$/, "");
  const slash = base.lastIndexOf("/");
  url.pathname = `${base.slice(0, slash)}/${name}${base.slice(slash)}${path}`;
  return url.href;
}

/** Yields the input in chunks of {@link CHUNK}; each is reused for the next one. */
async function* chunksOf(input: JobInput): AsyncGenerator<Bytes> {
  const chunk = new Uint8Array(Math.min(CHUNK, input.bytes));
  let filled = 0;
  for await (let part of input.open()) {
    while (part.length > 0) {
      const taken = part.subarray(0, chunk.length - filled);
      chunk.set(taken, filled);
      filled += taken.length;
      part = part.subarray(taken.length);
      if (filled < chunk.length) continue;
      yield chunk;
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

/** Starts the upload and returns its URL, which needs no key. */
async function startUpload(http: BatchHttp, input: JobInput, endpoint: Endpoint): Promise<string> {
  const { headers } = await http.send({
    method: "POST",
    path: besideVersion(endpoint, "upload", "/files"),
    headers: {
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": String(input.bytes),
      "x-goog-upload-header-content-type": TYPE,
    },
    json: { file: { displayName: `${labelOf(input.nonce)}.jsonl` } },
  });
  return requireId(headers.get("x-goog-upload-url"), "upload URL");
}

/**
 * Uploads the input.
 *
 * @throws {FlexLLMError} if a chunk fails; all of it has to be sent again then
 */
export async function uploadFile(
  http: BatchHttp,
  input: JobInput,
  endpoint: Endpoint,
): Promise<UploadedInput> {
  const path = await startUpload(http, input, endpoint);
  let offset = 0;
  let answer: BatchResponse | undefined;
  for await (const chunk of chunksOf(input)) {
    const isLast = offset + chunk.length >= input.bytes;
    const headers = {
      "content-type": TYPE,
      "x-goog-upload-command": isLast ? "upload, finalize" : "upload",
      "x-goog-upload-offset": String(offset),
    };
    answer = await http.send({ method: "POST", path, headers, body: bytesBody(chunk) });
    offset += chunk.length;
  }
  const file = asObject(asObject(answer?.json)?.file);
  if (file?.state === "FAILED") {
    const reason = asText(asObject(file.error)?.message) ?? "no reason was given";
    throw new MalformedResponseError(`Google could not process the uploaded file: ${reason}`);
  }
  return {
    file: requireId(file?.name, "file name"),
    expiresAt: asTime(file?.expirationTime ?? file?.expiration_time),
  };
}
