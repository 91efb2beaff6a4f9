/**
 * The mock of Fireworks' batch inference jobs.
 *
 * Source: Fireworks documentation, "Batch API"; see also `fireworks_objects.ts`.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { readLinesSync } from "../../files/lines.ts";
import { asObject, asText, type Json, tryParse } from "../../json/json.ts";
import { answerCreate, answerPoll, pageSize } from "./answer_request.ts";
import type { BatchApiServer } from "./api.ts";
import type { BatchCore } from "./core.ts";
import { addDatasetRoutes, findDataset, NAME, putDataset } from "./fireworks_datasets.ts";
import {
  encodeFireworksJob,
  encodeFireworksResult,
  withGatewayErrors,
} from "./fireworks_objects.ts";
import type { JobProblem, JobRecord } from "./job.ts";
import { readJson } from "./read_body.ts";
import { rowOutcomes } from "./results.ts";
import { refuse, storeRows } from "./stored_rows.ts";

const JOBS = "/v1/accounts/:account/batchInferenceJobs";
const ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The name of a resource in `account`, which may be given as its id. */
function fullName(account: string, kind: string, name: string): string {
  return name.includes("/") ? name : `accounts/${account}/${kind}/${name}`;
}

/** The parameters of a job, which rows may override, in the names of Chat Completions. */
function parametersOf(parameters: Json): Json {
  const { maxTokens, topP, topK, extraBody, ...rest } = parameters;
  const named = { max_tokens: maxTokens, top_p: topP, top_k: topK, ...rest };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...asObject(tryParse(asText(extraBody) ?? "")) };
}

/** The rows of a dataset. The first problem with one makes the job fail. */
function* rowsOf(
  core: BatchCore,
  file: { id: string; bytes: number },
  found: { problem?: JobProblem },
): Generator<unknown> {
  const ids = new Set<unknown>();
  for (const { text, number: line } of readLinesSync(core.content(file.id, file.bytes).read)) {
    if (text.trim() === "") continue;
    const row = asObject(tryParse(text));
    const { custom_id: id } = row ?? {};
    const message = row === undefined
      ? "is not a JSON object"
      : typeof id !== "string" || id === ""
      ? "has no custom_id"
      : ids.has(id)
      ? `repeats the custom_id ${id}`
      : asObject(row.body) === undefined
      ? "has no body"
      : undefined;
    ids.add(id);
    if (message !== undefined) {
      found.problem ??= { code: "invalid_line", message: `line ${line} ${message}`, line };
    }
    yield row ?? null;
  }
}

async function create(c: Context, core: BatchCore, account: string): Promise<JobRecord> {
  const body = await readJson(c.req.raw) ?? refuse(400, "The body is not valid JSON.");
  const owner = core.ownerOf(c.req.raw);
  const chosen = c.req.query("batchInferenceJobId") ?? core.newId("job-");
  if (!ID.test(chosen)) refuse(400, `invalid batch inference job id "${chosen}"`);
  const name = `accounts/${account}/batchInferenceJobs/${chosen}`;
  const id = owner === "" ? name : `${name}?${owner}`;
  // A deleted job still blocks its id, since the ledger has it.
  if (core.record("job", id) !== undefined) {
    refuse(409, `batch inference job ${name} already exists`, { code: "already_exists" });
  }
  const model = asText(body.model) ?? refuse(400, "model is required");
  if (body.continuedFromJobName !== undefined) {
    refuse(400, "The mock server does not support continuedFromJobName.");
  }
  const inputDataset = fullName(account, "datasets", asText(body.inputDatasetId) ?? "");
  const isLost = core.takeFault("file_not_found") !== undefined;
  const input = findDataset(core, owner, isLost ? `${inputDataset}-lost` : inputDataset);
  if (input.file === undefined) refuse(400, `dataset ${inputDataset} is not ready`);
  const outputDataset = fullName(
    account,
    "datasets",
    asText(body.outputDatasetId) ?? `${chosen}-output`,
  );
  const found: { problem?: JobProblem } = {};
  const rows = rowsOf(core, input.file!, found);
  const stored = await storeRows(core, { api: NAME, owner }, rows, (row) => asObject(row)?.body);
  // Before the job, so that no crash leaves one without its output.
  putDataset(core, owner, {
    name: outputDataset,
    displayName: outputDataset.split("/").at(-1)!,
    createdAt: core.now(),
    exampleCount: stored.rows,
    job: id,
  });
  return core.createJob({
    id,
    api: NAME,
    owner,
    ...stored,
    ...found,
    model,
    details: {
      name,
      displayName: body.displayName ?? chosen,
      model,
      inputDataset,
      outputDataset,
      exampleCount: input.exampleCount,
      parameters: asObject(body.inferenceParameters) ?? {},
    },
  });
}

async function encode(core: BatchCore, job: JobRecord): Promise<Json> {
  const state = await core.state(job);
  return encodeFireworksJob(job, state, core.reportedTotals(job, state));
}

async function* results(core: BatchCore, job: JobRecord, file: string): AsyncGenerator<Json> {
  const state = await core.state(job);
  const kinds = file.startsWith("error") ? { failed: true } : { succeeded: true };
  for await (const outcome of rowOutcomes(core, job, state, kinds)) {
    yield encodeFireworksResult(outcome);
  }
}

function addRoutes(app: Hono, core: BatchCore): void {
  const found = (c: Context): JobRecord => {
    const { account, id } = c.req.param() as { account: string; id: string };
    const owner = core.ownerOf(c.req.raw);
    const name = `accounts/${account}/batchInferenceJobs/${id}`;
    const job = core.job(owner === "" ? name : `${name}?${owner}`, NAME, owner);
    return job ?? refuse(404, `batch inference job ${name} not found`);
  };
  app.get("/v1/accounts", (c) =>
    c.json({
      accounts: [{ name: "accounts/mock", displayName: "Mock", state: "READY" }],
      nextPageToken: "",
      totalSize: 1,
    }));
  addDatasetRoutes(app, core, results);
  app.post(JOBS, (c) =>
    answerCreate(
      c,
      core,
      () =>
        withGatewayErrors(
          c,
          async () => c.json(await encode(core, await create(c, core, c.req.param("account")))),
        ),
    ));
  app.get(JOBS, (c) =>
    withGatewayErrors(c, async () => {
      const prefix = `accounts/${c.req.param("account")}/`;
      const jobs = core.jobs(NAME, core.ownerOf(c.req.raw))
        .filter(({ details }) => asText(details.name)?.startsWith(prefix));
      const size = pageSize(c, core, "pageSize", 50, 200);
      const start = Number(c.req.query("pageToken") || 0);
      const page: Json[] = [];
      for (const job of jobs.slice(start, start + size)) page.push(await encode(core, job));
      const hasMore = start + size < jobs.length;
      return c.json({
        batchInferenceJobs: page,
        nextPageToken: hasMore ? String(start + size) : "",
        totalSize: jobs.length,
      });
    }));
  app.get(
    `${JOBS}/:id`,
    (c) => answerPoll(c, core, async () => c.json(await encode(core, found(c)))),
  );
  app.delete(`${JOBS}/:id`, (c) =>
    withGatewayErrors(c, async () => {
      core.deleteJob(await core.cancel(found(c)));
      return c.json({});
    }));
}

/** Fireworks' batch inference jobs and datasets. */
export const fireworksBatches: BatchApiServer = {
  name: NAME,
  vendors: ["fireworks"],
  paths: /^\/v1\/accounts(\/|$)|^\/__mock\/signed\/fireworks\//,
  parseRow(line, _index, job) {
    const { custom_id, body } = asObject(line) ?? {};
    const parameters = parametersOf(asObject(job.details.parameters) ?? {});
    return {
      id: asText(custom_id) ?? "",
      path: "/v1/chat/completions",
      body: { ...parameters, ...asObject(body), model: job.model },
    };
  },
  addRoutes,
};
