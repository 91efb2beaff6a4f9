/** Shapes: docs.together.ai, "Manage batch jobs"; the `together-ai` package. */
import assert from "node:assert/strict";
import { startHttpServer, startScriptedHttpServer } from "../support/http_server.ts";
import { batchApi, BODY, endpointOf, inputOf, resultsOf, stored } from "./setup.ts";

const JOB = {
  id: "job-1",
  user_id: "u",
  input_file_id: "file-in",
  file_size_bytes: 2,
  status: "VALIDATING",
  job_deadline: "2026-09-02T10:00:00Z",
  created_at: "2026-09-01T10:00:00.123456Z",
  endpoint: "/v1/chat/completions",
  progress: 0,
  model_id: "meta/llama",
};

Deno.test("Together: the documented upload, and a job in a wrapper", async () => {
  await using server = await startScriptedHttpServer({
    "POST /v1/files/upload": { json: { id: "file-in", bytes: 2 } },
    "POST /v1/batches": { status: 201, json: { job: JOB, warning: "slow today" } },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "together"));
  const row = api.encodeRow("a", { body: BODY, model: "m", path: "/chat/completions" });
  assert.equal(row, `{"custom_id":"a","body":${BODY}}`);
  const input = inputOf(`${row}\n`);
  const uploaded = await api.upload!(http, input);
  assert.equal(uploaded.file, "file-in");
  const job = await api.create(http, { ...input, uploaded });
  assert.deepEqual(stored(job), {
    id: "job-1",
    status: "validating",
    createdAt: Date.parse("2026-09-01T10:00:00.123Z"),
    expiresAt: Date.UTC(2026, 8, 2, 10),
    model: "meta/llama",
    output: {},
    inputFile: "file-in",
  });
  const [upload, create] = server.requests;
  const headers = { "content-type": upload.headers["content-type"]! };
  const form = await new Response(upload.body, { headers }).formData();
  assert.deepEqual([form.get("purpose"), form.get("file_name")], [
    "batch-api",
    "flexllm-abc0123456.jsonl",
  ]);
  assert.equal(await (form.get("file") as File).text(), `${row}\n`);
  assert.ok(upload.headers["user-agent"], "the edge refuses requests without it");
  assert.deepEqual(JSON.parse(create.body), {
    input_file_id: "file-in",
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
});

Deno.test("Together: the upload of its SDK, where the documented one is missing", async () => {
  await using storage = await startHttpServer(() => ({ text: "" }));
  await using server = await startScriptedHttpServer({
    "POST /v1/files": {
      status: 302,
      headers: { location: `${storage.origin}/put?sig=1`, "x-together-file-id": "file-9" },
    },
    "GET /v1/files/file-9": { json: { id: "file-9", object: "file", Processed: true } },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "together"));
  const uploaded = await api.upload!(http, inputOf("ab\n"));
  assert.equal(uploaded.file, "file-9");
  assert.deepEqual(server.calls(), [
    "POST /v1/files/upload",
    "POST /v1/files",
    "GET /v1/files/file-9",
  ]);
  assert.deepEqual(server.requests[1].query, {
    file_name: "flexllm-abc0123456.jsonl",
    file_type: "jsonl",
    purpose: "batch-api",
  });
  const [put] = storage.requests;
  assert.deepEqual([put.method, put.path, put.query, put.body], [
    "PUT",
    "/put",
    { sig: "1" },
    "ab\n",
  ]);
  assert.equal(put.headers["content-length"], "3");
  assert.equal(put.headers.authorization, undefined);
});

Deno.test("Together: an upload that is refused is not tried in another way", async () => {
  await using server = await startScriptedHttpServer({
    "POST /v1/files/upload": { status: 400, json: { error: { message: "Bad line 3" } } },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "together"));
  await assert.rejects(api.upload!(http, inputOf("x\n")), /Bad line 3/);
  assert.equal(server.requests.length, 1);
});

Deno.test("Together: states, progress and the error of a job", async () => {
  const states: [object, object][] = [
    [{ status: "IN_PROGRESS", progress: 75.5 }, {
      status: "running",
      nativeStatus: "IN_PROGRESS 75 %",
    }],
    [{ status: "IN_PROGRESS" }, { status: "running" }],
    [{ status: "CANCELING" }, { status: "cancelling" }],
    [{ status: "CANCELLED" }, { status: "cancelled" }],
    [{ status: "EXPIRED" }, { status: "expired" }],
    [{ status: "FAILED", error: "file not found" }, {
      status: "failed",
      problems: [{ message: "file not found" }],
    }],
    [{ status: "COMPLETED", output_file_id: "file-out", error_file_id: "" }, {
      status: "completed",
      output: { output: "file-out" },
    }],
  ];
  await using server = await startScriptedHttpServer({
    "GET /v1/batches/job-1": states.map(([fields]) => ({ json: { ...JOB, ...fields } })),
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "together"));
  for (const [, expected] of states) {
    const { status, nativeStatus, problems, output } = await api.get(http, "job-1");
    const shown = stored({ status, nativeStatus, problems, output });
    assert.deepEqual(shown, { output: {}, ...expected });
  }
});

Deno.test("Together: results of both files, error rows without a response", async () => {
  const body = { choices: [] };
  const row = { custom_id: "a", response: { status_code: 200, body } };
  const error = { code: "batch_client_error", message: "Unknown model" };
  await using storage = await startHttpServer(() => ({ text: `${JSON.stringify(row)}\n` }));
  await using server = await startScriptedHttpServer({
    "GET /v1/batches/job-1": {
      json: { ...JOB, status: "CANCELLED", output_file_id: "file-out", error_file_id: "file-err" },
    },
    "GET /v1/files/file-out/content": {
      status: 302,
      headers: { location: `${storage.origin}/out?sig=1` },
    },
    "GET /v1/files/file-err/content": {
      text: JSON.stringify({ id: "x", custom_id: "b", error }),
    },
  });
  const rows = await resultsOf(batchApi(endpointOf(`${server.origin}/v1`, "together")), "job-1");
  assert.deepEqual(rows, [
    { id: "a", kind: "answer", body },
    { id: "b", kind: "error", body: { error } },
  ]);
});

Deno.test("Together: the list is a bare array, or null", async () => {
  await using server = await startScriptedHttpServer({
    "GET /v1/batches": [
      { json: [{ ...JOB, id: "job-2", input_file_id: "other" }, JOB] },
      { json: null },
      { json: { data: [JOB] } },
      { json: {} },
    ],
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "together"));
  const input = inputOf("x\n", { uploaded: { file: "file-in" } });
  const find = async () => (await api.find(http, input, 0)).map(({ id }) => id);
  assert.deepEqual(await find(), ["job-1"]);
  assert.deepEqual(await find(), []);
  assert.deepEqual(await find(), ["job-1"]);
  await assert.rejects(find(), { code: "malformed_response" });
});

Deno.test("Together: a job that has ended cannot be cancelled, which is fine", async () => {
  await using server = await startScriptedHttpServer({
    "POST /v1/batches/job-1/cancel": { status: 409, json: { error: { message: "terminal" } } },
    "GET /v1/batches/job-1": { json: { ...JOB, status: "COMPLETED" } },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "together"));
  await api.cancel!(http, "job-1");
  assert.deepEqual(server.calls(), ["POST /v1/batches/job-1/cancel", "GET /v1/batches/job-1"]);
});

Deno.test("Together: limits, and operations that are not rows", () => {
  const { api } = batchApi(endpointOf("http://localhost:1/v1", "together"));
  assert.deepEqual(api.limits, { rows: 50_000, bytes: 100e6, rowBytes: 10e6, jobs: 10 });
  assert.match(api.rowProblem!({ body: "{}", model: "m", path: "/responses" })!, /takes only/);
});
