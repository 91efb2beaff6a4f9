/**
 * The mock of Fireworks' datasets: uploads, and signed URLs of results.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { asObject, asText, type Json } from "../../json/json.ts";
import { jsonLines } from "./answer_request.ts";
import { streamOf } from "./blobs.ts";
import { dropConnection } from "./broken_connection.ts";
import type { BatchCore } from "./core.ts";
import {
  encodeFireworksDataset,
  type FireworksDataset,
  withGatewayErrors,
} from "./fireworks_objects.ts";
import type { JobRecord } from "./job.ts";
import { readJson } from "./read_body.ts";
import { refuse } from "./stored_rows.ts";
import { storeUpload } from "./upload.ts";

/** The name that jobs and files are stored with. */
export const NAME = "fireworks";

const KIND = "fireworks dataset";
const SIGNED = "/__mock/signed/fireworks";
/** Larger files need a signed upload URL, which the mock does not have. */
const MAX_UPLOAD = 150_000_000;

function keyOf(owner: string, name: string): string {
  return `${owner}/${name}`;
}

/** Stores a dataset. */
export function putDataset(core: BatchCore, owner: string, dataset: FireworksDataset): void {
  core.putRecord(KIND, keyOf(owner, dataset.name), dataset);
}

/** The dataset with a full name. */
export function findDataset(core: BatchCore, owner: string, name: string): FireworksDataset {
  const dataset = core.record<FireworksDataset>(KIND, keyOf(owner, name));
  if (dataset === undefined || dataset.deleted) refuse(404, `dataset ${name} not found`);
  return dataset!;
}

async function createDataset(c: Context, core: BatchCore, account: string): Promise<Json> {
  const body = await readJson(c.req.raw) ?? refuse(400, "The body is not valid JSON.");
  const id = asText(body.datasetId) ?? refuse(400, "datasetId is required");
  const given = asObject(body.dataset) ?? refuse(400, "dataset is required");
  const owner = core.ownerOf(c.req.raw);
  const name = `accounts/${account}/datasets/${id}`;
  const known = core.record<FireworksDataset>(KIND, keyOf(owner, name));
  if (known !== undefined && !known.deleted) {
    refuse(409, `dataset ${name} already exists`, { code: "already_exists" });
  }
  if (given.exampleCount === undefined) {
    refuse(400, "example_count is required for uploaded datasets");
  }
  const dataset: FireworksDataset = {
    name,
    displayName: asText(given.displayName) ?? id,
    createdAt: core.now(),
    exampleCount: Number(given.exampleCount),
  };
  putDataset(core, owner, dataset);
  return encodeFireworksDataset(dataset, false);
}

async function upload(c: Context, core: BatchCore, dataset: FireworksDataset): Promise<Response> {
  if (Number(c.req.header("content-length") ?? 0) > MAX_UPLOAD) {
    refuse(413, `files larger than ${MAX_UPLOAD} bytes need an upload endpoint`);
  }
  if (dataset.job !== undefined || dataset.file !== undefined) {
    refuse(400, `dataset ${dataset.name} already has its content`);
  }
  const owner = core.ownerOf(c.req.raw);
  const file = await storeUpload(c.req.raw, core, core.newId("dataset_"), (_fields, name) => ({
    api: NAME,
    owner,
    name,
    purpose: "dataset",
  }));
  if ("message" in file) refuse(400, file.message);
  const { id, bytes } = file as { id: string; bytes: number };
  putDataset(core, owner, { ...dataset, file: { id, bytes } });
  if (core.takeFault("upload_drop") !== undefined) return dropConnection(c.req.raw);
  return c.json({});
}

/** The job that wrote a dataset, once it has ended. */
async function endedJob(
  core: BatchCore,
  { job }: FireworksDataset,
): Promise<JobRecord | undefined> {
  const record = job === undefined ? undefined : core.record<JobRecord>("job", job);
  if (record === undefined) return undefined;
  const { isFinal, phase } = await core.state(record);
  // A job that failed wrote nothing.
  return isFinal && phase !== "failed" ? record : undefined;
}

async function isReady(core: BatchCore, dataset: FireworksDataset): Promise<boolean> {
  return dataset.file !== undefined || await endedJob(core, dataset) !== undefined;
}

/** Signs a URL, which then needs no key. */
function signedUrl(c: Context, core: BatchCore, owner: string, name: string, file: string): string {
  const token = core.newId("");
  core.putRecord("fireworks signature", token, { owner, name });
  return `${new URL(c.req.url).origin}${SIGNED}/${token}/${file}`;
}

async function downloads(c: Context, core: BatchCore, dataset: FireworksDataset): Promise<Json> {
  const owner = core.ownerOf(c.req.raw);
  const files: string[] = [];
  if (dataset.file !== undefined) files.push("data.jsonl");
  const job = await endedJob(core, dataset);
  if (job !== undefined) {
    // The second one also exists if no row failed.
    files.push("BIJOutputSet.jsonl", "error-data");
  }
  if (files.length === 0) refuse(404, `dataset ${dataset.name} has no files`);
  const urls = files.map((file) => [
    `${dataset.name.replace(/^accounts\/|\/datasets/g, "")}/${file}`,
    signedUrl(c, core, owner, dataset.name, file),
  ]);
  return { filenameToSignedUrls: Object.fromEntries(urls) };
}

/** Adds the routes of datasets. `results` makes the lines of a file that a job has written. */
export function addDatasetRoutes(
  app: Hono,
  core: BatchCore,
  results: (core: BatchCore, job: JobRecord, file: string) => AsyncIterable<Json>,
): void {
  const datasets = "/v1/accounts/:account/datasets";
  const found = (c: Context, id: string): FireworksDataset =>
    findDataset(
      core,
      core.ownerOf(c.req.raw),
      `accounts/${c.req.param("account")}/datasets/${id}`,
    );
  app.post(
    datasets,
    (c) =>
      withGatewayErrors(
        c,
        async () => c.json(await createDataset(c, core, c.req.param("account"))),
      ),
  );
  app.post(`${datasets}/:call`, (c) =>
    withGatewayErrors(c, async () => {
      const [id, verb] = c.req.param("call").split(":");
      if (verb !== "upload") refuse(404, `unknown operation ${verb ?? ""}`);
      return await upload(c, core, found(c, id));
    }));
  app.get(`${datasets}/:call`, (c) =>
    withGatewayErrors(c, async () => {
      const [id, verb] = c.req.param("call").split(":");
      const dataset = found(c, id);
      if (verb === "getDownloadEndpoint") return c.json(await downloads(c, core, dataset));
      return c.json(encodeFireworksDataset(dataset, await isReady(core, dataset)));
    }));
  app.delete(`${datasets}/:id`, (c) =>
    withGatewayErrors(c, () => {
      const dataset = found(c, c.req.param("id"));
      putDataset(core, core.ownerOf(c.req.raw), { ...dataset, deleted: true });
      return c.json({});
    }));
  app.get(`${SIGNED}/:token/:file`, (c) =>
    withGatewayErrors(c, async () => {
      const signature = core.record<{ owner: string; name: string }>(
        "fireworks signature",
        c.req.param("token"),
      ) ?? refuse(403, "The signature is invalid.");
      const dataset = findDataset(core, signature.owner, signature.name);
      const { file } = dataset;
      const type = "application/jsonl";
      if (file !== undefined) {
        const content = streamOf(core.content(file.id, file.bytes));
        return new Response(content, { headers: { "content-type": type } });
      }
      const job = await endedJob(core, dataset);
      return jsonLines(
        c,
        core,
        type,
        results(core, job ?? refuse(404, "There is no such file."), c.req.param("file")),
      );
    }));
}
