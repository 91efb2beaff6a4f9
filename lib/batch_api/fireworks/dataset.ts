/**
 * Uploads the input of a job as a dataset.
 *
 * @module
 */
import { HttpError } from "../../http_errors.ts";
import { asObject } from "../../json/json.ts";
import type { Endpoint } from "../../protocols/protocol.ts";
import type { JobInput, UploadedInput } from "../batch_api.ts";
import type { BatchHttp } from "../batch_http.ts";
import { labelOf } from "../job_fields.ts";
import { encodeForm } from "../multipart.ts";
import { accountUrl, findAccount } from "./account.ts";

/** Whether the dataset exists already and is complete, after an earlier attempt. */
async function isReady(http: BatchHttp, url: string): Promise<boolean> {
  const { json } = await http.send({ method: "GET", path: url });
  return asObject(json)?.state === "READY";
}

/**
 * Uploads the input. Only uploads what is missing if it is repeated.
 *
 * @throws {FlexLLMError} if a request fails
 */
export async function uploadDataset(
  http: BatchHttp,
  input: JobInput,
  endpoint: Endpoint,
): Promise<UploadedInput> {
  const account = await findAccount(http, endpoint, input.model);
  const datasetId = labelOf(input.nonce);
  const file = `${account}/datasets/${datasetId}`;
  const url = accountUrl(endpoint, file);
  const dataset = { displayName: datasetId, exampleCount: String(input.rows), userUploaded: {} };
  try {
    const json = { datasetId, dataset };
    await http.send({ method: "POST", path: accountUrl(endpoint, `${account}/datasets`), json });
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 409) throw error;
    if (await isReady(http, url)) return { file };
  }
  const content = { size: input.bytes, open: () => input.open() };
  const form = encodeForm({ fields: {}, filename: `${datasetId}.jsonl`, content });
  await http.send({ method: "POST", path: `${url}:upload`, ...form });
  return { file };
}
