/** Shapes: Mistral API reference, "Batch API"; the `@mistralai/mistralai` package. */
import assert from "node:assert/strict";
import { startHttpServer, startScriptedHttpServer } from "../support/http_server.ts";
import { batchApi, BODY, collect, endpointOf, inputOf, resultsOf, stored } from "./setup.ts";

const JOB = {
  id: "job-1",
  object: "batch",
  input_files: ["file-in"],
  metadata: { flexllm: "abc0123456" },
  endpoint: "/v1/chat/completions",
  model: "mistral-small",
  output_file: null,
  error_file: null,
  errors: [],
  outputs: null,
  status: "QUEUED",
  created_at: 1_790_000_000,
  total_requests: 0,
  completed_requests: 0,
  succeeded_requests: 0,
  failed_requests: 0,
};

const ANSWER = { choices: [], created: 1 };

Deno.test("Mistral: rows without their model, an upload and a job with the nonce", async () => {
  await using server = await startScriptedHttpServer({
    "POST /v1/files": { json: { id: "file-in", object: "file", purpose: "batch" } },
    "POST /v1/batch/jobs": { json: JOB },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "mistral"));
  const row = { body: BODY, model: "m", path: "/chat/completions" };
  const line = '{"custom_id":"a","body":{"messages":[{"role":"user","content":"Hi"}]}}';
  assert.equal(api.encodeRow("a", row), line);
  // The same with the model elsewhere, and with numbers that a double would change.
  const body = '{"seed":12345678901234567890,"model":"m","temperature":1.0}';
  assert.equal(
    api.encodeRow("a", { ...row, body }),
    '{"custom_id":"a","body":{"seed":12345678901234567890,"temperature":1.0}}',
  );
  const input = inputOf(`${line}\n`, { model: "mistral-small" });
  const uploaded = await api.upload!(http, input);
  const job = await api.create(http, { ...input, uploaded });
  assert.deepEqual(stored(job), {
    id: "job-1",
    status: "queued",
    createdAt: 1_790_000_000_000,
    expiresAt: 1_790_086_400_000,
    model: "mistral-small",
    output: {},
    nonce: "abc0123456",
    inputFile: "file-in",
  });
  assert.match(server.requests[0].body, /name="purpose"\r\n\r\nbatch\r\n/);
  assert.deepEqual(JSON.parse(server.requests[1].body), {
    input_files: ["file-in"],
    endpoint: "/v1/chat/completions",
    model: "mistral-small",
    metadata: { flexllm: "abc0123456" },
    timeout_hours: 24,
  });
});

Deno.test("Mistral: every state, counts and errors of a job", async () => {
  const states: [object, object][] = [
    [{ status: "QUEUED" }, { status: "queued" }],
    [{ status: "RUNNING", total_requests: 5, succeeded_requests: 2, failed_requests: 1 }, {
      status: "running",
      rows: 5,
      counts: { succeeded: 2, failed: 1 },
    }],
    [{ status: "SUCCESS" }, { status: "completed" }],
    [{
      status: "FAILED",
      errors: [{ message: "Bad input", count: 3 }, { message: "Once", count: 1 }],
    }, { status: "failed", problems: [{ message: "Bad input (3 times)" }, { message: "Once" }] }],
    [{ status: "TIMEOUT_EXCEEDED" }, { status: "expired" }],
    [{ status: "CANCELLATION_REQUESTED" }, { status: "cancelling" }],
    [{ status: "CANCELLED" }, { status: "cancelled" }],
    [{ status: "PAUSED" }, { status: "running", nativeStatus: "PAUSED" }],
  ];
  await using server = await startScriptedHttpServer({
    "GET /v1/batch/jobs/job-1": states.map(([fields]) => ({ json: { ...JOB, ...fields } })),
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "mistral"));
  for (const [, expected] of states) {
    const { status, nativeStatus, problems, rows, counts } = await api.get(http, "job-1");
    assert.deepEqual(stored({ status, nativeStatus, problems, rows, counts }), expected);
  }
});

Deno.test("Mistral: results of both files after a timeout", async () => {
  const answer = {
    id: "x",
    custom_id: "a",
    response: { status_code: 200, body: ANSWER },
    error: null,
  };
  const error = {
    id: "y",
    custom_id: "b",
    response: { status_code: 422, body: '{"object":"error","message":"Bad"}' },
    error: null,
  };
  await using server = await startScriptedHttpServer({
    "GET /v1/batch/jobs/job-1": {
      json: { ...JOB, status: "TIMEOUT_EXCEEDED", output_file: "file-out", error_file: "file-err" },
    },
    "GET /v1/files/file-out/content": { text: JSON.stringify(answer) },
    "GET /v1/files/file-err/content": { text: JSON.stringify(error) },
  });
  const rows = await resultsOf(batchApi(endpointOf(`${server.origin}/v1`, "mistral")), "job-1");
  assert.deepEqual(rows, [
    { id: "a", kind: "answer", body: ANSWER },
    { id: "b", kind: "error", status: 422, body: { object: "error", message: "Bad" } },
  ]);
});

Deno.test("Mistral: results in the job itself, where it has no files", async () => {
  const outputs = [
    { custom_id: "a", response: { status_code: 200, body: ANSWER } },
    { custom_id: "b", error: { code: "x", message: "Oh" } },
  ];
  await using server = await startHttpServer(({ query }) => ({
    json: { ...JOB, status: "SUCCESS", outputs: query.inline === "true" ? outputs : null },
  }));
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "mistral"));
  const job = await api.get(http, "job-1");
  const texts: string[] = [];
  const rows = await collect(
    api.results(http, job, (text) => JSON.parse((texts.push(text), text))),
  );
  assert.deepEqual(rows, [
    { id: "a", kind: "answer", body: ANSWER },
    { id: "b", kind: "error", body: { error: { code: "x", message: "Oh" } } },
  ]);
  assert.equal(texts.length, 1, "the caller parses the numbers");
});

Deno.test("Mistral: a job is found on any page, by its metadata or its file", async () => {
  const jobs = Array.from({ length: 3 }, (_, i) => ({
    ...JOB,
    id: `job-${i}`,
    input_files: [`file-${i}`],
    metadata: i === 2 ? JOB.metadata : null,
  }));
  for (const total of [3, undefined]) {
    await using server = await startHttpServer(({ query }) => {
      const page = Number(query.page);
      return { json: { object: "list", data: jobs.slice(page, page + 1), total } };
    });
    const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "mistral"));
    const byLabel = await api.find(http, inputOf("x\n"), 0);
    assert.deepEqual(byLabel.map(({ id }) => id), ["job-2"]);
    // No filter: one that the server takes differently would hide the job.
    assert.deepEqual(server.requests[0].query, {
      page: "0",
      page_size: "100",
      order_by: "-created",
    });
    assert.equal(server.requests.length, total ?? 4);
    const input = inputOf("x\n", { nonce: "zzz", uploaded: { file: "file-1" } });
    assert.deepEqual((await api.find(http, input, 0)).map(({ id }) => id), ["job-1"]);
  }
});

Deno.test("Mistral: a server that ignores the page is asked twice", async () => {
  await using server = await startHttpServer(() => ({ json: { object: "list", data: [JOB] } }));
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "mistral"));
  const found = await api.find(http, inputOf("x\n"), 0);
  assert.deepEqual(found.map(({ id }) => id), [JOB.id]);
  assert.equal(server.requests.length, 2);
});

Deno.test("Mistral: cancelling and cleaning", async () => {
  await using server = await startScriptedHttpServer({
    "POST /v1/batch/jobs/job-1/cancel": { json: { ...JOB, status: "CANCELLATION_REQUESTED" } },
    "GET /v1/batch/jobs/job-1": { json: { ...JOB, status: "CANCELLED", output_file: "file-out" } },
    "DELETE /v1/files/file-in": { json: { deleted: true } },
    "DELETE /v1/files/file-out": { json: { deleted: true } },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "mistral"));
  await api.cancel!(http, "job-1");
  await api.clean!(http, await api.get(http, "job-1"), undefined);
  assert.deepEqual(server.calls(), [
    "POST /v1/batch/jobs/job-1/cancel",
    "GET /v1/batch/jobs/job-1",
    "DELETE /v1/files/file-in",
    "DELETE /v1/files/file-out",
  ]);
});
