/** OpenRouter's batches. Source: OpenRouter documentation, "Batch API Quickstart" and API reference, "Batch". */
import assert from "node:assert/strict";
import { openRouterBatchApi } from "../../lib/batch_api/openrouter/openrouter.ts";
import { HttpError } from "../../lib/http_errors.ts";
import {
  allResults,
  batchEndpoint,
  batchHttp,
  jobInput,
  rowId,
  startScriptedApi,
} from "./scripted_api.ts";

const api = openRouterBatchApi();
const MODEL = "openai/gpt-5-mini";
const CREATED = 1_795_000_000;

function connect(origin: string) {
  return batchHttp(batchEndpoint(`${origin}/api/v1`), "chat");
}

function batch(fields: Record<string, unknown> = {}) {
  return {
    id: "batch_1",
    object: "batch",
    endpoint: "/v1/chat/completions",
    model: MODEL,
    status: "validating",
    completion_window: "24h",
    created_at: CREATED,
    expires_at: CREATED + 86_400,
    finalized_at: null,
    request_counts: { total: 2, completed: 0, failed: 0 },
    usage: null,
    results: null,
    error: null,
    ...fields,
  };
}

async function getBatch(fields: Record<string, unknown>) {
  await using server = await startScriptedApi({
    "GET /api/v1/batches/batch_1": { json: batch(fields) },
  });
  return await api.get(connect(server.origin), "batch_1");
}

for (
  const [path, endpoint] of [
    ["/chat/completions", "/v1/chat/completions"],
    ["/responses", "/v1/responses"],
    ["/messages", "/v1/messages"],
  ]
) {
  Deno.test(`a batch of ${path} is created with the rows as the last field`, async () => {
    await using server = await startScriptedApi({
      "POST /api/v1/batches": { status: 202, json: batch() },
    });
    const bodies = ['{"n":1.10}', '{"n":2}'];
    const input = jobInput(api, { bodies, model: MODEL, path });
    const job = await api.create(connect(server.origin), input);
    const [{ body, headers }] = server.requests;
    assert.equal(
      body,
      `{"endpoint":"${endpoint}","model":"${MODEL}","requests":[` +
        `{"custom_id":"${rowId(0)}","body":{"n":1.10}},{"custom_id":"${
          rowId(1)
        }","body":{"n":2}}]}`,
    );
    assert.equal(headers["content-length"], String(body.length));
    assert.equal(headers.authorization, "Bearer sk-secret");
    assert.deepEqual([job.id, job.status, job.rows], ["batch_1", "validating", 2]);
    assert.equal(job.createdAt, CREATED * 1000);
    assert.equal(job.expiresAt, (CREATED + 86_400) * 1000);
  });
}

Deno.test("a batch is read with its counts, its cost and its error", async () => {
  const done = await getBatch({
    status: "completed",
    finalized_at: CREATED + 60,
    request_counts: { total: 2, completed: 1, failed: 1 },
    usage: { prompt_tokens: 1, completion_tokens: 2, cost: 0.25, is_byok: false },
    results: [],
  });
  assert.deepEqual(
    [done.status, done.counts, done.cost],
    ["completed", { succeeded: 1, failed: 1 }, 0.25],
  );
  assert.equal(done.resultsExpireAt, (CREATED + 60 + 30 * 86_400) * 1000);
  const failed = await getBatch({ status: "failed", error: { message: "unknown model" } });
  assert.equal(failed.status, "failed");
  assert.equal(failed.problems?.[0].message, "unknown model");
  for (const status of ["finalizing", "expired", "cancelling", "cancelled"]) {
    assert.equal((await getBatch({ status })).status, status);
  }
  assert.equal((await getBatch({ status: "in_progress" })).status, "running");
});

Deno.test("a batch that is too large to be read is looked up in the list", async () => {
  const item = batch({ status: "completed" });
  await using server = await startScriptedApi({
    "GET /api/v1/batches/batch_1": {
      text: JSON.stringify({ ...item, results: ["x".repeat(65 * 1024 * 1024)] }),
    },
    "GET /api/v1/batches?limit=100": {
      json: { data: [batch({ id: "batch_2" })], has_more: true, last_id: "batch_2" },
    },
    "GET /api/v1/batches?limit=100&after=batch_2": { json: { data: [item], has_more: true } },
  });
  const job = await api.get(connect(server.origin), "batch_1");
  assert.deepEqual([job.id, job.status], ["batch_1", "completed"]);
});

Deno.test("an unknown batch is an error", async () => {
  await using server = await startScriptedApi({});
  await assert.rejects(
    api.get(connect(server.origin), "batch_1"),
    (error) => error instanceof HttpError && error.status === 404,
  );
});

const ROWS = [
  {
    custom_id: rowId(1),
    response: { status_code: 200, request_id: "r", body: { a: 1 } },
    error: null,
  },
  {
    custom_id: rowId(0),
    response: { status_code: 429, request_id: "r", body: { error: { message: "slow down" } } },
    error: null,
  },
  { custom_id: rowId(2), response: null, error: { message: "refused", type: "invalid_request" } },
  { custom_id: rowId(3), response: null, error: { code: "batch_expired", message: "expired" } },
  { custom_id: rowId(4), response: null, error: null },
  { id: "a row without an id" },
];
const DECODED = [
  { id: rowId(1), kind: "answer", body: { a: 1 } },
  { id: rowId(0), kind: "error", status: 429, body: { error: { message: "slow down" } } },
  {
    id: rowId(2),
    kind: "error",
    body: { error: { message: "refused", type: "invalid_request" } },
  },
  { id: rowId(3), kind: "not_run", reason: "expired" },
];

Deno.test("results come from every page", async () => {
  const path = "GET /api/v1/batches/batch_1/results?limit=100";
  await using server = await startScriptedApi({
    [path]: { json: { data: ROWS.slice(0, 2), has_more: true, next_cursor: "c/2" } },
    [`${path}&cursor=c%2F2`]: { json: { data: ROWS.slice(2), has_more: false, next_cursor: null } },
  });
  const job = { id: "batch_1", status: "completed" as const };
  assert.deepEqual(await allResults(api, connect(server.origin), job), DECODED);
  assert.equal(server.requests.length, 2);
});

Deno.test("a server without pages has the results in the batch", async () => {
  await using server = await startScriptedApi({
    "GET /api/v1/batches/batch_1": { json: batch({ status: "completed", results: ROWS }) },
  });
  const job = { id: "batch_1", status: "completed" as const };
  assert.deepEqual(await allResults(api, connect(server.origin), job), DECODED);
});

Deno.test("an expired batch may have no results", async () => {
  await using server = await startScriptedApi({
    "GET /api/v1/batches/batch_1": { json: batch({ status: "expired", results: null }) },
  });
  const job = { id: "batch_1", status: "expired" as const };
  assert.deepEqual(await allResults(api, connect(server.origin), job), []);
});

Deno.test("candidates have the same model and number of rows", async () => {
  const older = batch({ id: "old", created_at: CREATED - 3600 });
  await using server = await startScriptedApi({
    "GET /api/v1/batches?limit=100": {
      json: {
        data: [
          batch({ id: "same" }),
          batch({ id: "other model", model: "x-ai/grok-5" }),
          batch({ id: "dated model", model: `${MODEL}-2026-08-07` }),
          batch({ id: "other size", request_counts: { total: 3 } }),
          batch({ id: "not counted", request_counts: { total: 0 } }),
        ],
        has_more: true,
      },
    },
    "GET /api/v1/batches?limit=100&after=not+counted": {
      json: { data: [older], has_more: true },
    },
  });
  const input = jobInput(api, { bodies: ["{}", "{}"], model: MODEL });
  const jobs = await api.find(connect(server.origin), input, (CREATED - 10) * 1000);
  assert.deepEqual(jobs.map(({ id }) => id), ["same", "dated model", "not counted"]);
  assert.equal(server.requests.length, 2);
});

Deno.test("a batch can be deleted, but not cancelled", async () => {
  await using server = await startScriptedApi({
    "DELETE /api/v1/batches/batch_1": { json: { deleted: true } },
  });
  await api.clean?.(connect(server.origin), { id: "batch_1", status: "completed" }, undefined);
  assert.deepEqual(server.lines(), ["DELETE /api/v1/batches/batch_1"]);
  assert.equal(api.cancel, undefined);
});

Deno.test("requests that batches refuse are found before they are sent", () => {
  const problem = (body: unknown, path = "/chat/completions") =>
    api.rowProblem?.({ body: JSON.stringify(body), model: MODEL, path });
  const image = (url: string) => ({
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
  });
  assert.equal(problem(image("https://example.com/a.png")), undefined);
  assert.match(problem(image("data:image/png;base64,AAAA")) ?? "", /as data/);
  assert.equal(problem({ messages: [{ content: '{"url":"data:x"}' }] }), undefined);
  assert.match(problem({ stream: true }) ?? "", /stream/);
  assert.match(problem({}, "/embeddings") ?? "", /takes only/);
});

Deno.test("requests to Google's models are grouped by their response format", () => {
  const group = (model: string, fields: object) =>
    api.groupOf!({ model, path: "/chat/completions", body: JSON.stringify({ model, ...fields }) });
  const json = { response_format: { type: "json_object" } };
  assert.notEqual(group("google/gemini-3-flash", json), group("google/gemini-3-flash", {}));
  assert.equal(group("google/gemini-3-flash", json), group("google/gemini-3-flash", json));
  assert.equal(group("openai/gpt-5", json), group("openai/gpt-5", {}));
});
