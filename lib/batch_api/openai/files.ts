/**
 * Uploads, reads and deletes files with the calls of OpenAI's Files API, which other services share.
 *
 * Source: OpenAI API reference, "Files".
 *
 * @module
 */
import { MalformedResponseError } from "../../errors.ts";
import { HttpError } from "../../http_errors.ts";
import { asObject, asText } from "../../json/json.ts";
import type { JobInput, RowResult, UploadedInput } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { asTime } from "../fields.ts";
import { encodeForm } from "../multipart.ts";
import { decodeRow } from "./rows.ts";

/** The name of an input file at the provider. */
export function inputFilename({ nonce }: JobInput): string {
  return `flexllm-${nonce}.jsonl`;
}

/**
 * Decodes the answer to an upload.
 *
 * @throws {MalformedResponseError} if it has no file id
 */
export function decodeFile(json: unknown): UploadedInput {
  const answer = asObject(json);
  // SiliconFlow wraps the file in `data`.
  const file = asText(answer?.id) === undefined ? asObject(answer?.data) : answer;
  const id = asText(file?.id);
  if (id === undefined) {
    throw new MalformedResponseError("the server returned no id for the uploaded file", {
      retryable: true,
      hint: "Check that the service has a Files API at this base URL.",
    });
  }
  return { file: id, expiresAt: asTime(file?.expires_at) };
}

/** Uploads an input as a form with `fields`. */
export async function uploadFile(
  http: BatchHttp,
  input: JobInput,
  path: string,
  fields: Record<string, string>,
): Promise<UploadedInput> {
  const content = { size: input.bytes, open: () => input.open() };
  const { headers, body } = encodeForm({ fields, filename: inputFilename(input), content });
  const { json } = await http.send({ method: "POST", path, headers, body });
  return decodeFile(json);
}

/** What services say of a file that was uploaded a moment ago. */
const FILE_NOT_READY =
  /^(?=.*\bfile\b).*((cannot|not|no such) (be )?(find|found|exist|file)|not (yet )?(ready|processed|uploaded)|pending|being processed)/i;

/** A refused create that can succeed in a moment, because the service does not see the uploaded file yet. */
function fileNotReady(error: unknown): HttpError | undefined {
  if (!(error instanceof HttpError) || ![400, 404, 409].includes(error.status)) return undefined;
  const { message, status, providerMessage, providerCode, requestId } = error;
  if (!FILE_NOT_READY.test(providerMessage ?? "")) return undefined;
  return new HttpError(message, {
    status,
    providerMessage,
    providerCode,
    requestId,
    retryable: true,
    fatal: false,
    hint: "The service does not see the uploaded file yet.",
  });
}

/**
 * Creates a job of an uploaded file, with one POST to `path`, and returns the JSON of the answer.
 *
 * @throws {FlexLLMError} if it fails; retryable if the service does not see the file yet
 */
export async function createFrom(http: BatchHttp, path: string, json: unknown): Promise<unknown> {
  try {
    return (await http.send({ method: "POST", path, json })).json;
  } catch (error) {
    throw fileNotReady(error) ?? error;
  }
}

/** The ids of a job's result files. */
export interface ResultFiles {
  output?: string;
  error?: string;
}

function isUrl(file: string): boolean {
  return /^https?:\/\//.test(file);
}

/** Yields the rows of all result files. Lines that are not rows are left out. */
export async function* readRows(
  http: BatchHttp,
  files: ResultFiles,
  parse: (text: string) => unknown,
): AsyncGenerator<RowResult, void, void> {
  for (const file of [files.output, files.error]) {
    if (file === undefined) continue;
    // SiliconFlow gives the URL of the file.
    const path = isUrl(file) ? file : `/files/${encodeURIComponent(file)}/content`;
    for await (const line of http.lines({ path, allowRedirect: true })) {
      const row = decodeRow(tryWith(parse, line));
      if (row !== undefined) yield row;
    }
  }
}

/** What `parse` makes of a line; `undefined` if it is not JSON. */
function tryWith(parse: (text: string) => unknown, line: string): unknown {
  try {
    return parse(line);
  } catch {
    return undefined;
  }
}

/** Deletes files. Those that are gone already are fine; an error is thrown after all have been tried. */
export async function deleteFiles(
  http: BatchHttp,
  files: readonly (string | undefined)[],
): Promise<void> {
  let failure: unknown;
  for (const file of new Set(files)) {
    if (file === undefined || isUrl(file)) continue;
    try {
      await http.send({ method: "DELETE", path: `/files/${encodeURIComponent(file)}` });
    } catch (error) {
      if (!(error instanceof HttpError && (error.status === 404 || error.status === 410))) {
        failure ??= error;
      }
    }
  }
  if (failure !== undefined) throw failure;
}
