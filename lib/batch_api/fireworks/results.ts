/**
 * Reads the results of Fireworks' jobs: a file with answers and one with errors, in the output dataset.
 *
 * @module
 */
import { asCount, asObject, asText, type Json } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { Job, RowResult } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { decodeRow } from "../openai/rows.ts";
import { isNotFound, type ParseJson, parseLine } from "../read_json.ts";
import { accountUrl } from "./account.ts";

/** The name of a file with other contents. That of the errors has no extension. */
const OTHER_FILE = /\.(?!jsonl?$)[a-z]+$/i;

/** The URLs of the files. They are signed, so that they need no key, and expire. */
async function filesOf(http: BatchHttp, dataset: string, endpoint: Endpoint): Promise<string[]> {
  const path = accountUrl(endpoint, `${dataset}:getDownloadEndpoint`);
  const { json } = await http.send({ method: "GET", path });
  return Object.entries(asObject(asObject(json)?.filenameToSignedUrls) ?? {})
    .filter(([name]) => !OTHER_FILE.test(name))
    .flatMap(([, url]) => asText(url) ?? []);
}

/** A row in OpenAI's form, in which the answer or the error is the `body` of a response with a status. */
function withStatus(row: Json | undefined): Json | undefined {
  const response = asObject(row?.response);
  const error = asObject(row?.error);
  const code = asCount(error?.code) ?? 0;
  if (response === undefined && code >= 400) {
    return { ...row, response: { status_code: code, body: { error } } };
  }
  if (response === undefined || response.body !== undefined) return row;
  return { ...row, response: { status_code: 200, body: response } };
}

/** Reads all results of a job. */
export async function* readResults(
  http: BatchHttp,
  { status, output }: Job,
  parse: ParseJson,
  endpoint: Endpoint,
): AsyncGenerator<RowResult> {
  const dataset = asText(output?.dataset);
  if (dataset === undefined) return;
  let files: string[];
  try {
    files = await filesOf(http, dataset, endpoint);
  } catch (error) {
    // A job that never ran has no output.
    if (status === "completed" || !isNotFound(error)) throw error;
    return;
  }
  for (const path of files) {
    for await (const line of http.lines({ path })) {
      const row = decodeRow(withStatus(parseLine(line, parse)));
      if (row !== undefined) yield row;
    }
  }
}
