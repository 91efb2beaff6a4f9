/** Shapes: see the sources named in lib/batch_api/openai. */
import assert from "node:assert/strict";
import type { Job } from "../../lib/batch_api/batch_api.ts";
import { findJobs } from "../../lib/batch_api/find_jobs.ts";
import { startHttpServer, startScriptedHttpServer } from "../support/http_server.ts";
import { batchApi, BODY, collect, endpointOf, inputOf, resultsOf, stored } from "./setup.ts";

const JOB = {
  id: "batch_1",
  object: "batch",
  endpoint: "/v1/chat/completions",
  model: null,
  errors: null,
  input_file_id: "file-in",
  completion_window: "24h",
  status: "validating",
  output_file_id: null,
  error_file_id: null,
  created_at: 1_790_000_000,
  expires_at: 1_790_086_400,
  completed_at: null,
  request_counts: { total: 0, completed: 0, failed: 0 },
  metadata: { flexllm: "abc0123456" },
};

const ANSWER = { choices: [{ index: 0, message: { role: "assistant", content: "Hello" } }] };

function answerRow(id: string, body: unknown = ANSWER): string {
  const response = { status_code: 200, request_id: "r", body };
  return JSON.stringify({ id: "batch_req_1", custom_id: id, response, error: null });
}

function errorRow(id: string, fields: object): string {
  return JSON.stringify({
    id: "batch_req_2",
    custom_id: id,
    response: null,
    error: null,
    ...fields,
  });
}

Deno.test("OpenAI: a job is uploaded and created with its nonce", async () => {
  await using server = await startScriptedHttpServer({
    "POST /v1/files": { json: { id: "file-in", object: "file", expires_at: 1_792_592_000 } },
    "POST /v1/batches": { json: JOB },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  const row = api.encodeRow("abc0123456_7_00ff00ff", {
    body: BODY.replace("Hi", "a\u2028b\u2029c"),
    model: "m",
    path: "/chat/completions",
  });
  assert.equal(
    row,
    '{"custom_id":"abc0123456_7_00ff00ff","method":"POST","url":"/v1/chat/completions",' +
      '"body":{"model":"m","messages":[{"role":"user","content":"a\\u2028b\\u2029c"}]}}',
  );
  const input = inputOf(`${row}\n`);
  const uploaded = await api.upload!(http, input);
  assert.deepEqual(uploaded, { file: "file-in", expiresAt: 1_792_592_000_000 });
  const job = await api.create(http, { ...input, uploaded });
  assert.deepEqual(stored(job), {
    id: "batch_1",
    status: "validating",
    createdAt: 1_790_000_000_000,
    expiresAt: 1_790_086_400_000,
    output: {},
    nonce: "abc0123456",
    inputFile: "file-in",
  });
  const [upload, create] = server.requests;
  assert.match(upload.headers["content-type"]!, /^multipart\/form-data; boundary=/);
  const form = await new Response(upload.body, {
    headers: { "content-type": upload.headers["content-type"]! },
  }).formData();
  assert.equal(form.get("purpose"), "batch");
  const file = form.get("file") as File;
  assert.equal(file.name, "flexllm-abc0123456.jsonl");
  assert.equal(await file.text(), `${row}\n`);
  assert.equal(Number(upload.headers["content-length"]), upload.body.length);
  assert.deepEqual(JSON.parse(create.body), {
    input_file_id: "file-in",
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
    metadata: { flexllm: "abc0123456" },
  });
});

Deno.test("OpenAI: rows of the Responses API, and requests that cannot be rows", () => {
  const { api } = batchApi(endpointOf("http://localhost:1/v1", "openai"), "responses");
  const row = { body: '{"model":"m","input":"Hi"}', model: "m", path: "/responses" };
  assert.equal(JSON.parse(api.encodeRow("a", row)).url, "/v1/responses");
  assert.equal(api.rowProblem!(row), undefined);
  assert.match(api.rowProblem!({ ...row, path: "/embeddings" })!, /only .* not \/embeddings/);
  assert.match(api.rowProblem!({ ...row, body: '{"model":"m","stream":true}' })!, /cannot stream/);
  const quoted = JSON.stringify({ model: "m", input: '{"stream":true}' });
  assert.equal(api.rowProblem!({ ...row, body: quoted }), undefined);
});

const STATES: [object, Partial<Job>][] = [
  [{ status: "in_progress", request_counts: { total: 5, completed: 2, failed: 1 } }, {
    status: "running",
    rows: 5,
    counts: { succeeded: 2, failed: 1 },
  }],
  [{ status: "finalizing" }, { status: "finalizing" }],
  [{ status: "cancelling" }, { status: "cancelling" }],
  [{ status: "cancelled", cancelled_at: 1_790_000_100 }, {
    status: "cancelled",
    resultsExpireAt: 1_792_592_100_000,
  }],
  [{ status: "expired", output_file_id: "file-out", expired_at: 1_790_086_400 }, {
    status: "expired",
    output: { output: "file-out" },
    resultsExpireAt: 1_792_678_400_000,
  }],
  [{
    status: "failed",
    errors: {
      object: "list",
      data: [{ code: "invalid_json_line", message: "Not JSON.", param: null, line: 3 }],
    },
  }, {
    status: "failed",
    problems: [{ message: "Not JSON.", code: "invalid_json_line", line: 3 }],
  }],
  [{ status: "brand_new" }, { status: "running", nativeStatus: "brand_new" }],
  [{ status: "in_queue" }, { status: "queued" }],
  [{ status: "PROGRESS", created_at: "2026-09-01T00:00:00", total: 2 }, {
    status: "running",
    createdAt: Date.UTC(2026, 8, 1),
  }],
];

Deno.test("OpenAI: every state of a job", async () => {
  for (const [fields, expected] of STATES) {
    await using server = await startScriptedHttpServer({
      "GET /v1/batches/batch_1": { json: { ...JOB, ...fields } },
    });
    const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
    const job = stored(await api.get(http, "batch_1"));
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(job[name as keyof Job], value, `${name} of ${JSON.stringify(fields)}`);
    }
  }
});

Deno.test("Azure: capitalised states, dates as text, no counts, empty error files", async () => {
  const job = {
    ...JOB,
    status: "Completed",
    created_at: "2026-09-01T10:00:00.000Z",
    expires_at: "2026-09-02T10:00:00+00:00",
    request_counts: { total: null, completed: null, failed: null },
    output_file_id: "file-out",
    error_file_id: "file-err",
  };
  await using server = await startScriptedHttpServer({
    "GET /openai/v1/batches/batch_1": { json: job },
    "GET /openai/v1/files/file-out/content": { text: answerRow("a") },
    "GET /openai/v1/files/file-err/content": { text: "" },
  });
  const azure = batchApi(endpointOf(`${server.origin}/openai/v1`, "azure"));
  const { expiresAt, createdAt, status, counts, rows } = await azure.api.get(azure.http, "batch_1");
  assert.equal(status, "completed");
  assert.equal(createdAt, Date.UTC(2026, 8, 1, 10));
  assert.equal(expiresAt, undefined, "jobs continue after it");
  assert.deepEqual([counts, rows], [undefined, undefined]);
  assert.deepEqual(await resultsOf(azure, "batch_1"), [{ id: "a", kind: "answer", body: ANSWER }]);
  const chat = { body: BODY, model: "m", path: "/chat/completions" };
  assert.equal(JSON.parse(azure.api.encodeRow("a", chat)).url, "/chat/completions");
  const responses = { ...chat, path: "/responses" };
  assert.equal(JSON.parse(azure.api.encodeRow("a", responses)).url, "/v1/responses");
  assert.equal(azure.api.limits.rows, 100_000);
});

Deno.test("Azure: the endpoint of a job has no version, its URL keeps the API version", async () => {
  await using server = await startScriptedHttpServer({
    "POST /openai/batches": { json: { ...JOB, status: "Validating" } },
  });
  const base = `${server.origin}/openai/deployments/mine?api-version=2026-01-01`;
  const { api, http } = batchApi(endpointOf(base, "azure"));
  await api.create(http, inputOf("x\n", { uploaded: { file: "file-in" } }));
  assert.deepEqual(server.requests[0].query, { "api-version": "2026-01-01" });
  assert.equal(server.requests[0].headers["api-key"], "sk-test-123456");
  assert.equal(JSON.parse(server.requests[0].body).endpoint, "/chat/completions");
});

Deno.test("Groq: errors of a completed job are a plain array", async () => {
  const errors = [{ code: "x", message: "Skipped a line", line: 2 }, "plain text"];
  await using server = await startScriptedHttpServer({
    "GET /openai/v1/batches/batch_1": {
      json: { ...JOB, status: "completed", errors, completed_at: 1_790_000_100 },
    },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/openai/v1`, "groq"));
  const { status, problems } = stored(await api.get(http, "batch_1"));
  assert.equal(status, "completed");
  assert.deepEqual(problems, [
    { message: "Skipped a line", code: "x", line: 2 },
    { message: "plain text" },
  ]);
  assert.equal(api.limits.rows, 1000);
});

Deno.test("results come from both files in any state, and rows that did not run are reported", async () => {
  const output = [answerRow("a"), "", answerRow("b", JSON.stringify(ANSWER)), "not JSON"].join(
    "\n",
  );
  const failed = { status_code: 400, body: { error: { message: "Too long", code: "c" } } };
  const errors = [
    errorRow("c", { response: failed }),
    errorRow("d", { error: { code: "batch_expired", message: "Expired" } }),
    errorRow("e", { error: { code: "batch_cancelled", message: "Cancelled" } }),
    errorRow("f", { error: { code: "server_error", message: "Oh" } }),
    errorRow("g", { error: "plain text" }),
    // Neither a response nor an error; no id.
    errorRow("h", {}),
    JSON.stringify({ response: failed }),
    errorRow("i", { response: { status_code: 200, body: ANSWER }, error: { code: null } }),
    errorRow("j", { response: { status_code: 500, body: "" }, error: { message: "Down" } }),
  ];
  for (const status of ["completed", "expired", "cancelled", "failed"]) {
    await using server = await startScriptedHttpServer({
      "GET /v1/batches/batch_1": {
        json: { ...JOB, status, output_file_id: "file-out", error_file_id: "file-err" },
      },
      "GET /v1/files/file-out/content": { text: output },
      "GET /v1/files/file-err/content": { text: errors.join("\n") },
    });
    const rows = await resultsOf(batchApi(endpointOf(`${server.origin}/v1`, "openai")), "batch_1");
    assert.deepEqual(stored(rows), [
      { id: "a", kind: "answer", body: ANSWER },
      { id: "b", kind: "answer", body: ANSWER },
      { id: "c", kind: "error", status: 400, body: failed.body },
      { id: "d", kind: "not_run", reason: "expired" },
      { id: "e", kind: "not_run", reason: "cancelled" },
      { id: "f", kind: "error", body: { error: { code: "server_error", message: "Oh" } } },
      { id: "g", kind: "error", body: { error: { message: "plain text" } } },
      { id: "i", kind: "answer", body: ANSWER },
      { id: "j", kind: "error", status: 500, body: { error: { message: "Down" } } },
    ]);
  }
});

Deno.test("a missing result file is null or an empty id, and is not requested", async () => {
  await using server = await startScriptedHttpServer({
    "GET /v1/batches/batch_1": [
      { json: { ...JOB, status: "completed", output_file_id: null, error_file_id: "file-err" } },
      { json: { ...JOB, status: "completed", output_file_id: "file-out", error_file_id: "" } },
      { json: { ...JOB, status: "failed" } },
    ],
    "GET /v1/files/file-err/content": { text: errorRow("a", { error: { code: "c" } }) },
    "GET /v1/files/file-out/content": { text: answerRow("b") },
  });
  const api = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  assert.deepEqual((await resultsOf(api, "batch_1")).map(({ id }) => id), ["a"]);
  assert.deepEqual((await resultsOf(api, "batch_1")).map(({ id }) => id), ["b"]);
  assert.deepEqual(await resultsOf(api, "batch_1"), []);
});

Deno.test("numbers of results are parsed by the caller", async () => {
  await using server = await startScriptedHttpServer({
    "GET /v1/files/file-out/content": { text: answerRow("a") },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  const job: Job = { id: "batch_1", status: "completed", output: { output: "file-out" } };
  const texts: string[] = [];
  await collect(api.results(http, job, (text) => JSON.parse((texts.push(text), text))));
  assert.deepEqual(texts, [answerRow("a")]);
});

/** A list of jobs in pages of `size`. */
function pages(jobs: object[], size: number) {
  return startHttpServer(({ query }) => {
    const ids = jobs.map((job) => (job as { id: string }).id);
    const start = query.after === undefined ? 0 : ids.indexOf(query.after) + 1;
    const data = jobs.slice(start, start + size);
    const has_more = start + size < jobs.length;
    return { json: { object: "list", data, last_id: ids[start + data.length - 1], has_more } };
  });
}

Deno.test("a job is found by its input file on any page", async () => {
  const jobs = Array.from({ length: 5 }, (_, i) => ({
    ...JOB,
    id: `batch_${i}`,
    input_file_id: `file-${i}`,
    metadata: null,
    created_at: 1_790_000_000 - i,
  }));
  await using server = await pages(jobs, 1);
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  const find = async (file: string, since: number) =>
    (await api.find(http, inputOf("x\n", { nonce: "zzz", uploaded: { file } }), since))
      .map(({ id }) => id);
  assert.deepEqual(await find("file-4", 1_789_000_000_000), ["batch_4"]);
  assert.deepEqual(server.requests.map(({ query }) => query.after), [
    undefined,
    "batch_0",
    "batch_1",
    "batch_2",
    "batch_3",
  ]);
  assert.deepEqual(await find("file-9", 1_789_000_000_000), []);
  // Everything after the first page is too old.
  server.requests.length = 0;
  assert.deepEqual(await find("file-9", 1_790_000_000_000), []);
  assert.equal(server.requests.length, 2);
});

Deno.test("a job is found by its nonce, and once if a list has it twice", async () => {
  await using server = await pages([JOB, { ...JOB, metadata: null }], 2);
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  const found = await api.find(http, inputOf("x\n"), 0);
  assert.deepEqual(found.map(({ id }) => id), ["batch_1"]);
});

Deno.test("Groq: the list continues with a cursor", async () => {
  await using server = await startHttpServer(({ query }) => ({
    json: query.cursor === undefined
      ? { data: [{ ...JOB, id: "b1", metadata: null }], paging: { next_cursor: "two" } }
      : { data: [{ ...JOB, id: "b2" }], paging: { next_cursor: null } },
  }));
  const { api, http } = batchApi(endpointOf(`${server.origin}/openai/v1`, "groq"));
  const found = await api.find(http, inputOf("x\n"), 0);
  assert.deepEqual(found.map(({ id }) => id), ["b2"]);
  assert.deepEqual(server.requests.map(({ query }) => query), [
    { limit: "100" },
    { limit: "100", cursor: "two" },
  ]);
});

Deno.test("the search stops at jobs that are too old, unless the list is not sorted", async () => {
  const find = async (ages: number[]) => {
    const found = await findJobs(
      (cursor = "0") => {
        const i = Number(cursor);
        const job: Job = { id: `j${i}`, status: "running", createdAt: ages[i] };
        return Promise.resolve({ jobs: [job], next: i < 3 ? String(i + 1) : undefined });
      },
      ({ id }) => id === "j3",
      20,
    );
    return found.length;
  };
  assert.equal(await find([50, 1, 90, 3]), 0);
  assert.equal(await find([50, 90, 1, 3]), 1);
});

Deno.test("a server that ignores the cursor does not make the search endless", async () => {
  await using server = await startHttpServer(() => ({
    json: { data: [{ ...JOB, metadata: null }], has_more: true },
  }));
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`));
  assert.deepEqual(await api.find(http, inputOf("x\n"), 0), []);
  assert.equal(server.requests.length, 2);
});

Deno.test("a list without jobs, and an answer that is no list", async () => {
  await using server = await startScriptedHttpServer({
    "GET /v1/batches": [{ json: { object: "list", data: [], has_more: false } }, { json: {} }],
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  assert.deepEqual(await api.find(http, inputOf("x\n"), 0), []);
  await assert.rejects(api.find(http, inputOf("x\n"), 0), { code: "malformed_response" });
});

Deno.test("SiliconFlow: the file is wrapped, and results are at a URL", async () => {
  await using storage = await startScriptedHttpServer({
    "GET /out.jsonl": { text: answerRow("a") },
  });
  await using server = await startScriptedHttpServer({
    "POST /v1/files": { json: { code: 20000, status: true, data: { id: "file-in" } } },
    "GET /v1/batches/batch_1": {
      json: { ...JOB, status: "completed", output_file_id: `${storage.origin}/out.jsonl` },
    },
    "DELETE /v1/files/file-in": { json: {} },
  });
  const siliconflow = batchApi(endpointOf(`${server.origin}/v1`, "siliconflow"));
  const { api, http } = siliconflow;
  assert.equal((await api.upload!(http, inputOf("x\n"))).file, "file-in");
  assert.deepEqual(await resultsOf(siliconflow, "batch_1"), [
    { id: "a", kind: "answer", body: ANSWER },
  ]);
  assert.equal(storage.requests[0].headers.authorization, undefined);
  await api.clean!(http, await api.get(http, "batch_1"), { file: "file-in" });
  assert.equal(server.calls().at(-1), "DELETE /v1/files/file-in");
  assert.equal(api.limits.rows, 5000);
});

Deno.test("DashScope: limits of rows and lines", () => {
  const { api } = batchApi(endpointOf("http://localhost:1/compatible-mode/v1", "qwen"));
  assert.deepEqual(api.limits, { rows: 50_000, bytes: 500e6, rowBytes: 6e6, jobs: 10 });
});

Deno.test("an upload without an id is an error", async () => {
  await using server = await startScriptedHttpServer({ "POST /v1/files": { json: {} } });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  await assert.rejects(api.upload!(http, inputOf("x\n")), { code: "malformed_response" });
});

Deno.test("a job is cancelled; that it has ended already is fine", async () => {
  const refusal = { status: 400, json: { error: { message: "Cannot cancel" } } };
  await using server = await startScriptedHttpServer({
    "POST /v1/batches/batch_1/cancel": [{ json: JOB }, refusal, refusal, refusal],
    "GET /v1/batches/batch_1": [
      { json: { ...JOB, status: "completed" } },
      { json: { ...JOB, status: "cancelling" } },
      { json: { ...JOB, status: "in_progress" } },
    ],
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  await api.cancel!(http, "batch_1");
  await api.cancel!(http, "batch_1");
  await api.cancel!(http, "batch_1");
  await assert.rejects(api.cancel!(http, "batch_1"), /Cannot cancel/);
});

Deno.test("cleaning deletes all files, also after an error, and does not mind missing ones", async () => {
  await using server = await startScriptedHttpServer({
    "DELETE /v1/files/file-in": { status: 500, json: { error: { message: "Oh" } } },
    "DELETE /v1/files/file-err": { json: { deleted: true } },
  });
  const { api, http } = batchApi(endpointOf(`${server.origin}/v1`, "openai"));
  const output = { output: "file-out", error: "file-err" };
  const job: Job = { id: "batch_1", status: "completed", output, inputFile: "file-in" };
  await assert.rejects(api.clean!(http, job, undefined), /Oh/);
  assert.deepEqual(server.calls(), [
    "DELETE /v1/files/file-in",
    "DELETE /v1/files/file-out",
    "DELETE /v1/files/file-err",
  ]);
});
