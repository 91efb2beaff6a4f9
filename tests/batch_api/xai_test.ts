/** xAI's batches. Source: xAI documentation, "Batch API"; recorded traffic of crmne/ruby_llm. */
import assert from "node:assert/strict";
import { xaiBatchApi } from "../../lib/batch_api/xai/xai.ts";
import { HttpError, QuotaExceededError } from "../../lib/http_errors.ts";
import {
  allResults,
  batchEndpoint,
  batchHttp,
  jobInput,
  NONCE,
  rowId,
  startScriptedApi,
} from "./scripted_api.ts";

const NOW = "Fri, 20 Nov 2026 12:00:00 GMT";
const GET = "GET /v1/batches/batch_1";

const api = xaiBatchApi();

function connect(origin: string) {
  return batchHttp(batchEndpoint(`${origin}/v1`), "chat");
}

function batch(state: Record<string, number>, fields: Record<string, unknown> = {}) {
  const zeros = { num_requests: 0, num_pending: 0, num_success: 0, num_error: 0, num_cancelled: 0 };
  return {
    batch_id: "batch_1",
    name: `flexllm-${NONCE}`,
    create_time: "2026-11-20T10:00:00.123456Z",
    expire_time: "2026-12-20T10:00:00Z",
    cancel_time: null,
    cancel_by_xai_message: null,
    state: { ...zeros, ...state },
    ...fields,
  };
}

/** Reads a batch at {@link NOW}, by the server's clock. */
async function getBatch(state: Record<string, number>, fields: Record<string, unknown> = {}) {
  await using server = await startScriptedApi({
    [GET]: { headers: { date: NOW }, json: batch(state, fields) },
  });
  return await api.get(connect(server.origin), "batch_1");
}

Deno.test("a container is created with the label as its name", async () => {
  await using server = await startScriptedApi({ "POST /v1/batches": { json: batch({}) } });
  const job = await api.create(connect(server.origin), jobInput(api, { bodies: ["{}"] }));
  assert.equal(server.requests[0].body, `{"name":"flexllm-${NONCE}"}`);
  assert.equal(server.requests[0].headers.authorization, "Bearer sk-secret");
  assert.deepEqual(
    [job.id, job.status, job.rows, job.nonce],
    ["batch_1", "validating", 0, NONCE],
  );
  assert.equal(job.expiresAt, Date.parse("2026-12-20T10:00:00Z"));
});

Deno.test("rows are added in several requests", async () => {
  await using server = await startScriptedApi({
    "POST /v1/batches/batch_1/requests": { text: "null" },
  });
  const text = "é\u2028".padEnd(1_000_000, "x");
  const bodies = Array.from({ length: 6 }, (_, n) => JSON.stringify({ n, text }));
  const input = jobInput(api, { bodies, chunk: 65_536 });
  await api.fill?.(connect(server.origin), { id: "batch_1", status: "validating" }, input);

  const calls = server.requests.map(({ body }) => JSON.parse(body).batch_requests);
  assert.deepEqual(calls.map(({ length }) => length), [3, 3]);
  assert.deepEqual(
    calls.flat(),
    bodies.map((body, n) => ({
      batch_request_id: rowId(n),
      batch_request: { chat_get_completion: JSON.parse(body) },
    })),
  );
  assert.ok(!server.requests[0].body.includes("\u2028"));
  assert.equal(server.requests[0].headers["content-type"], "application/json");
});

Deno.test("a row larger than a request is sent alone", async () => {
  await using server = await startScriptedApi({
    "POST /v1/batches/batch_1/requests": { text: "null" },
  });
  const bodies = ["{}", JSON.stringify({ text: "x".repeat(5_000_000) }), "{}"];
  const input = jobInput(api, { bodies, chunk: 65_536 });
  await api.fill?.(connect(server.origin), { id: "batch_1", status: "validating" }, input);
  const counts = server.requests.map(({ body }) => JSON.parse(body).batch_requests.length);
  assert.deepEqual(counts, [1, 1, 1]);
});

Deno.test("an error while adding rows is thrown", async () => {
  await using server = await startScriptedApi({
    "POST /v1/batches/batch_1/requests": {
      status: 402,
      json: { code: "no credits", error: "Your team has no credits" },
    },
  });
  const input = jobInput(api, { bodies: ["{}"] });
  const job = { id: "batch_1", status: "validating" as const };
  await assert.rejects(
    async () => await api.fill?.(connect(server.origin), job, input),
    QuotaExceededError,
  );
});

Deno.test("rows can be added again if the container is not visible yet", async () => {
  await using server = await startScriptedApi({});
  const job = { id: "batch_1", status: "validating" as const };
  await assert.rejects(
    async () => await api.fill?.(connect(server.origin), job, jobInput(api, { bodies: ["{}"] })),
    (error) =>
      error instanceof HttpError && error.status === 404 && error.retryable && !error.fatal,
  );
});

Deno.test("the status follows from the counters", async () => {
  assert.equal((await getBatch({})).status, "validating");
  const running = await getBatch({
    num_requests: 10,
    num_pending: 4,
    num_success: 5,
    num_error: 1,
  });
  assert.equal(running.status, "running");
  assert.deepEqual(running.counts, { succeeded: 5, failed: 1 });
  assert.equal(running.rows, 10);
  const done = await getBatch({ num_requests: 10, num_success: 9, num_error: 1 });
  assert.equal(done.status, "completed");
});

Deno.test("the counters of a cancelled batch may still change for two minutes", async () => {
  const counters = { num_requests: 5, num_cancelled: 5 };
  const at = async (cancel_time: string, state = counters) =>
    (await getBatch(state, { cancel_time })).status;
  assert.equal(await at("2026-11-20T11:58:30Z"), "cancelling");
  assert.equal(await at("2026-11-20T11:57:00Z"), "cancelled");
  const pending = { ...counters, num_cancelled: 4, num_pending: 1 };
  assert.equal(await at("2026-11-20T11:57:00Z", pending), "cancelling");
  assert.equal(await at("2026-11-20T10:57:00Z", pending), "cancelled");
});

Deno.test("a batch that xAI cancels has failed", async () => {
  const fields = { cancel_by_xai_message: "line 3: model not found" };
  const job = await getBatch({}, fields);
  assert.equal(job.status, "failed");
  assert.equal(job.problems?.[0].message, "line 3: model not found");
  const state = { num_requests: 2, num_pending: 1, num_cancelled: 1 };
  assert.equal((await getBatch(state, fields)).status, "cancelling");
});

Deno.test("a batch with rows that stay pending expires", async () => {
  const fields = { expire_time: "2026-11-20T11:00:00Z" };
  const state = { num_requests: 2, num_pending: 1, num_success: 1 };
  assert.equal((await getBatch(state, fields)).status, "expired");
});

Deno.test("a batch is found by its name on any page", async () => {
  const other = batch({}, { batch_id: "batch_0", name: "nightly" });
  await using server = await startScriptedApi({
    "GET /v1/batches?limit=100": { json: { batches: [other], pagination_token: "t2" } },
    "GET /v1/batches?limit=100&pagination_token=t2": {
      json: { batches: [batch({})], pagination_token: null },
    },
  });
  const input = jobInput(api, { bodies: ["{}"] });
  const jobs = await api.find(connect(server.origin), input, Date.now());
  assert.deepEqual(jobs.map(({ id }) => id), ["batch_1"]);
});

Deno.test("results come from every page", async () => {
  const answer = { choices: [], usage: { total_tokens: 3, cost_in_usd_ticks: 25_000_000 } };
  const response = { chat_get_completion: answer };
  await using server = await startScriptedApi({
    "GET /v1/batches/batch_1/results?limit=100": {
      json: {
        results: [
          { batch_request_id: rowId(2), batch_result: { response }, error_message: null },
          { batch_request_id: rowId(1), batch_result: { error: "model overloaded" } },
          { batch_request_id: rowId(4), batch_result: null },
        ],
        pagination_token: "t2",
      },
    },
    "GET /v1/batches/batch_1/results?limit=100&pagination_token=t2": {
      json: {
        results: [
          {
            batch_request_id: rowId(0),
            batch_result: { response: { chat_get_completion: { choices: [] } } },
            error_message: "rate limited",
          },
          {
            batch_request_id: rowId(3),
            batch_result: { response: { chat_get_completion: { choices: [1] } } },
          },
        ],
        pagination_token: null,
      },
    },
  });
  const job = { id: "batch_1", status: "completed" as const };
  assert.deepEqual(await allResults(api, connect(server.origin), job), [
    {
      id: rowId(2),
      kind: "answer",
      body: { choices: [], usage: { ...answer.usage, cost: 0.0025 } },
    },
    { id: rowId(1), kind: "error", body: { error: { message: "model overloaded" } } },
    { id: rowId(0), kind: "error", body: { error: { message: "rate limited" } } },
    { id: rowId(3), kind: "answer", body: { choices: [1] } },
  ]);
});

Deno.test("a batch can be cancelled", async () => {
  await using server = await startScriptedApi({
    "POST /v1/batches/batch_1:cancel": { json: batch({}) },
  });
  await api.cancel?.(connect(server.origin), "batch_1");
  assert.deepEqual(server.lines(), ["POST /v1/batches/batch_1:cancel"]);
});

Deno.test("only chat completions are possible, since all answers have their format", () => {
  const problem = (path: string) => api.rowProblem?.({ body: "{}", model: "m", path });
  assert.equal(problem("/chat/completions"), undefined);
  assert.match(problem("/responses") ?? "", /set api: chat/);
});
