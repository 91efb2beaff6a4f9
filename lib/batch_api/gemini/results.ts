/**
 * Reads the results of Gemini's batches, from a file or from the job itself.
 *
 * @module
 */
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { Job, RowResult } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { asInteger } from "../job_fields.ts";
import { isNotFound, type ParseJson, parseLine, readJson } from "../read_json.ts";
import { field, outputOf } from "./job.ts";
import { KEY_FIELD } from "./row.ts";
import { besideVersion } from "./upload.ts";

/** The HTTP status of Google's status codes. Source: google.rpc.Code. */
const STATUSES: Record<number, number> = {
  1: 499,
  2: 500,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
};

const CANCELLED = 1;

/** Decodes a line of a file or an inline response; `undefined` if it has no id. */
export function decodeRow(row: Json | undefined): RowResult | undefined {
  const id = asText(row?.[KEY_FIELD]) ?? asText(asObject(row?.metadata)?.[KEY_FIELD]);
  if (row === undefined || id === undefined) return undefined;
  const response = asObject(row.response);
  const error = asObject(row.error) ?? asObject(row.status);
  if (response !== undefined && error === undefined) return { id, kind: "answer", body: response };
  const code = asInteger(error?.code);
  if (code === CANCELLED) return { id, kind: "not_run", reason: "cancelled" };
  const status = code === undefined ? undefined : STATUSES[code] ?? (code >= 400 ? code : 500);
  const details = error ?? { message: "Google returned neither an answer nor an error" };
  // In answers to single requests, the code of an error is its HTTP status.
  return { id, kind: "error", status, body: { error: { ...details, code: status ?? 500 } } };
}

/** Reads the lines of a file. Google's libraries use the first path, its documentation the second one. */
async function* readFile(
  http: BatchHttp,
  file: string,
  endpoint: Endpoint,
): AsyncGenerator<string> {
  const query = { alt: "media" };
  let hasBegun = false;
  try {
    for await (const line of http.lines({ path: `/${file}:download`, query })) {
      hasBegun = true;
      yield line;
    }
  } catch (error) {
    if (hasBegun || !isNotFound(error)) throw error;
    const path = besideVersion(endpoint, "download", `/${file}:download`);
    yield* http.lines({ path, query });
  }
}

/** Reads all results of a job. */
export async function* readResults(
  http: BatchHttp,
  job: Job,
  parse: ParseJson,
  endpoint: Endpoint,
): AsyncGenerator<RowResult> {
  const file = asText(job.output?.responsesFile);
  if (file !== undefined) {
    for await (const line of readFile(http, file, endpoint)) {
      const row = decodeRow(parseLine(line, parse));
      if (row !== undefined) yield row;
    }
    return;
  }
  const output = outputOf(await readJson(http, { path: `/${job.id}` }, parse));
  const inlined = field(output, "inlinedResponses");
  // The list is in an object of the same name.
  const list = Array.isArray(inlined) ? inlined : field(asObject(inlined), "inlinedResponses");
  for (const response of asObjects(list)) {
    const row = decodeRow(response);
    if (row !== undefined) yield row;
  }
}
