/** Fireworks' batch jobs. Source: Fireworks documentation, "Batch API" and the API reference of datasets and jobs. */
import assert from "node:assert/strict";
import { fireworksBatchApi } from "../../lib/batch_api/fireworks/fireworks.ts";
import { FlexLLMError } from "../../lib/flexllm_error.ts";
import { HttpError } from "../../lib/http_errors.ts";
import {
  allResults,
  batchEndpoint,
  batchHttp,
  jobInput,
  NONCE,
  rowId,
  type Script,
  startScriptedApi,
} from "./scripted_api.ts";

const LABEL = `flexllm-${NONCE}`;
const MODEL = "accounts/fireworks/models/llama-v3p1-8b-instruct";
const JOB = `accounts/acme/batchInferenceJobs/${LABEL}`;
const DATASET = `accounts/acme/datasets/${LABEL}`;
const CREATE = `POST /v1/accounts/acme/batchInferenceJobs?batchInferenceJobId=${LABEL}`;

const UPLOADS: Script = {
  "GET /v1/accounts": { json: { accounts: [{ name: "accounts/acme" }], nextPageToken: "" } },
  "POST /v1/accounts/acme/datasets": { json: { name: DATASET, state: "UPLOADING" } },
  [`POST /v1/${DATASET}:upload`]: { json: {} },
};

function connect(origin: string, base = "/inference/v1") {
  const endpoint = batchEndpoint(`${origin}${base}`);
  return { api: fireworksBatchApi(endpoint), http: batchHttp(endpoint, "chat") };
}

function job(fields: Record<string, unknown> = {}) {
  return {
    name: JOB,
    displayName: LABEL,
    createTime: "2026-11-20T10:00:00Z",
    state: "JOB_STATE_PENDING",
    status: { code: "OK", message: "" },
    model: MODEL,
    inputDatasetId: DATASET,
    outputDatasetId: `${DATASET}-results`,
    ...fields,
  };
}

async function getJob(fields: Record<string, unknown>) {
  await using server = await startScriptedApi({ [`GET /v1/${JOB}`]: { json: job(fields) } });
  const { api, http } = connect(server.origin);
  return await api.get(http, JOB);
}

const BODIES = ['{"model":"m","seed":1669700650467246081}', '{"messages":[{"content":"é\u2028"}]}'];

for (
  const [base, prefix] of [["/inference/v1", ""], ["/proxy/inference/v1", "/proxy"], ["/v1", ""]]
) {
  Deno.test(`the input becomes a dataset of the key's account (${base})`, async () => {
    const script = Object.fromEntries(
      Object.entries(UPLOADS).map(([line, answer]) => [line.replace(" ", ` ${prefix}`), answer]),
    );
    await using server = await startScriptedApi(script);
    const { api, http } = connect(server.origin, base);
    const input = jobInput(api, { bodies: BODIES, model: MODEL });
    assert.deepEqual(await api.upload?.(http, input), { file: DATASET });
    const [, create, upload] = server.requests;
    assert.deepEqual(JSON.parse(create.body), {
      datasetId: LABEL,
      dataset: { displayName: LABEL, exampleCount: "2", userUploaded: {} },
    });
    assert.equal(create.headers.authorization, "Bearer sk-secret");
    assert.match(String(upload.headers["content-type"]), /^multipart\/form-data; boundary=/);
    const form = await new Response(upload.body, {
      headers: { "content-type": String(upload.headers["content-type"]) },
    }).formData();
    const file = form.get("file") as File;
    assert.equal(file.name, `${LABEL}.jsonl`);
    assert.equal(
      await file.text(),
      `{"custom_id":"${rowId(0)}","body":{"seed":1669700650467246081}}\n` +
        `{"custom_id":"${rowId(1)}","body":{"messages":[{"content":"é\\u2028"}]}}\n`,
    );
  });
}

Deno.test("an upload that is repeated sends what is missing", async () => {
  const exists = { status: 409, json: { error: { code: 6, message: "already exists" } } };
  let state = "UPLOADING";
  await using server = await startScriptedApi({
    ...UPLOADS,
    "POST /v1/accounts/acme/datasets": exists,
    [`GET /v1/${DATASET}`]: () => ({ json: { name: DATASET, state } }),
  });
  const { api, http } = connect(server.origin);
  const input = jobInput(api, { bodies: BODIES, model: MODEL });
  await api.upload?.(http, input);
  assert.equal(server.lines().at(-1), `POST /v1/${DATASET}:upload`);
  state = "READY";
  await api.upload?.(http, input);
  assert.equal(server.lines().at(-1), `GET /v1/${DATASET}`);
});

Deno.test("of several accounts, that of the model is used", async () => {
  await using server = await startScriptedApi({
    ...UPLOADS,
    "GET /v1/accounts": {
      json: { accounts: [{ name: "accounts/first" }, { name: "accounts/acme" }] },
    },
  });
  const { api, http } = connect(server.origin);
  const input = jobInput(api, { bodies: BODIES, model: "accounts/acme/models/mine" });
  assert.equal((await api.upload?.(http, input))?.file, DATASET);
});

Deno.test("a key without an account is an error with a hint", async () => {
  await using server = await startScriptedApi({ "GET /v1/accounts": { json: { accounts: [] } } });
  const { api, http } = connect(server.origin);
  await assert.rejects(
    async () => await api.upload?.(http, jobInput(api, { bodies: ["{}"] })),
    (error) => error instanceof FlexLLMError && /account/.test(error.message) && !!error.hint,
  );
});

Deno.test("a job is created with an id that we choose", async () => {
  await using server = await startScriptedApi({ [CREATE]: { json: job() } });
  const { api, http } = connect(server.origin);
  const uploaded = { file: DATASET };
  const created = await api.create(http, jobInput(api, { bodies: BODIES, model: MODEL, uploaded }));
  assert.deepEqual(JSON.parse(server.requests[0].body), {
    displayName: LABEL,
    model: MODEL,
    inputDatasetId: DATASET,
    outputDatasetId: `${DATASET}-results`,
  });
  assert.deepEqual([created.id, created.status, created.nonce], [JOB, "queued", NONCE]);
  assert.equal(created.expiresAt, Date.parse("2026-11-21T10:00:00Z"));
});

Deno.test("a job that exists already is read", async () => {
  await using server = await startScriptedApi({
    [CREATE]: { status: 409, json: { error: { code: 6, message: "already exists" } } },
    [`GET /v1/${JOB}`]: { json: job({ state: "JOB_STATE_RUNNING" }) },
  });
  const { api, http } = connect(server.origin);
  const uploaded = { file: DATASET };
  const created = await api.create(http, jobInput(api, { bodies: BODIES, model: MODEL, uploaded }));
  assert.deepEqual([created.id, created.status], [JOB, "running"]);
});

Deno.test("another error of the create is thrown", async () => {
  await using server = await startScriptedApi({ [CREATE]: { status: 400, json: {} } });
  const { api, http } = connect(server.origin);
  const uploaded = { file: DATASET };
  await assert.rejects(
    api.create(http, jobInput(api, { bodies: BODIES, model: MODEL, uploaded })),
    (error) => error instanceof HttpError && error.status === 400,
  );
});

Deno.test("a job is found by its id", async () => {
  let exists = false;
  await using server = await startScriptedApi({
    [`GET /v1/${JOB}`]: () => exists ? { json: job() } : { status: 404, json: {} },
  });
  const { api, http } = connect(server.origin);
  const input = jobInput(api, { bodies: BODIES, uploaded: { file: DATASET } });
  assert.deepEqual(await api.find(http, input, 0), []);
  exists = true;
  assert.deepEqual((await api.find(http, input, 0)).map(({ id }) => id), [JOB]);
});

for (
  const [state, status] of [
    ["JOB_STATE_VALIDATING", "validating"],
    ["JOB_STATE_PENDING", "queued"],
    ["JOB_STATE_RUNNING", "running"],
    ["JOB_STATE_WRITING_RESULTS", "finalizing"],
    ["JOB_STATE_COMPLETED", "completed"],
    ["JOB_STATE_FAILED", "failed"],
    ["JOB_STATE_EXPIRED", "expired"],
    ["JOB_STATE_CANCELLED", "cancelled"],
    ["JOB_STATE_NEW", "running"],
    ["COMPLETED", "completed"],
  ]
) {
  Deno.test(`the state ${state} is ${status}`, async () => {
    assert.equal((await getJob({ state })).status, status);
  });
}

Deno.test("a job is read with its counts and its problem", async () => {
  const failed = await getJob({
    state: "JOB_STATE_FAILED",
    status: { code: "INVALID_ARGUMENT", message: "bad dataset" },
    jobProgress: {
      totalInputRequests: 3,
      successfullyProcessedRequests: "1",
      failedRequests: 2,
    },
  });
  assert.deepEqual([failed.rows, failed.counts], [3, { succeeded: 1, failed: 2 }]);
  assert.deepEqual(failed.problems, [{ message: "bad dataset", code: "INVALID_ARGUMENT" }]);
  // Ids of datasets may come without the account.
  const short = await getJob({ inputDatasetId: "in", outputDatasetId: "out" });
  assert.equal(short.inputFile, "accounts/acme/datasets/in");
  assert.deepEqual(short.output, { dataset: "accounts/acme/datasets/out" });
  assert.equal(short.counts, undefined);
});

Deno.test("results come from the file of answers and the file of errors, without the key", async () => {
  const answers = [
    { custom_id: rowId(1), response: { id: "chat-1", choices: [1] } },
    { custom_id: rowId(2), response: { status_code: 200, body: { choices: [2] } }, error: null },
  ];
  const errors = [{ custom_id: rowId(0), error: { code: 400, message: "too long" } }];
  const jsonl = (rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await using storage = await startScriptedApi({
    "GET /results?signature=1": { text: jsonl(answers) },
    "GET /errors?signature=2": { text: jsonl(errors) },
  });
  await using server = await startScriptedApi({
    [`GET /v1/${DATASET}-results:getDownloadEndpoint`]: {
      json: {
        filenameToSignedUrls: {
          "BIJOutputSet.jsonl": `${storage.origin}/results?signature=1`,
          "error-data": `${storage.origin}/errors?signature=2`,
          "metadata.parquet": `${storage.origin}/metadata`,
        },
      },
    },
  });
  const { api, http } = connect(server.origin);
  const output = { dataset: `${DATASET}-results` };
  const results = await allResults(api, http, { id: JOB, status: "expired", output });
  assert.deepEqual(results, [
    { id: rowId(1), kind: "answer", body: { id: "chat-1", choices: [1] } },
    { id: rowId(2), kind: "answer", body: { choices: [2] } },
    {
      id: rowId(0),
      kind: "error",
      status: 400,
      body: { error: { code: 400, message: "too long" } },
    },
  ]);
  for (const { headers } of storage.requests) assert.equal(headers.authorization, undefined);
});

Deno.test("a job that never ran has no results; of one that ran they must exist", async () => {
  await using server = await startScriptedApi({});
  const { api, http } = connect(server.origin);
  const output = { dataset: `${DATASET}-results` };
  assert.deepEqual(await allResults(api, http, { id: JOB, status: "failed", output }), []);
  await assert.rejects(allResults(api, http, { id: JOB, status: "completed", output }), HttpError);
});

Deno.test("both datasets are deleted", async () => {
  await using server = await startScriptedApi({ [`DELETE /v1/${DATASET}`]: { json: {} } });
  const { api, http } = connect(server.origin);
  const output = { dataset: `${DATASET}-results` };
  await api.clean?.(http, { id: JOB, status: "completed", output }, { file: DATASET });
  assert.deepEqual(server.lines(), [
    `DELETE /v1/${DATASET}`,
    `DELETE /v1/${DATASET}-results`,
  ]);
});

Deno.test("only chat completions are possible", () => {
  const { api } = connect("http://127.0.0.1");
  const problem = (path: string) => api.rowProblem?.({ body: "{}", model: MODEL, path });
  assert.equal(problem("/chat/completions"), undefined);
  assert.match(problem("/responses") ?? "", /takes only/);
  assert.equal(api.cancel, undefined);
});
