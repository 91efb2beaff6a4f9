/** Anthropic's message batches. Source: Anthropic API reference, "Message Batches". */
import assert from "node:assert/strict";
import { anthropicBatchApi } from "../../lib/batch_api/anthropic/anthropic.ts";
import { AuthenticationError } from "../../lib/http_errors.ts";
import {
  allResults,
  batchEndpoint,
  batchHttp,
  jobInput,
  rowId,
  startScriptedApi,
} from "./scripted_api.ts";

const CREATED = "2026-11-20T10:00:00Z";

function batch(fields: Record<string, unknown> = {}) {
  return {
    id: "msgbatch_1",
    type: "message_batch",
    processing_status: "in_progress",
    request_counts: { processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    created_at: CREATED,
    expires_at: "2026-11-21T10:00:00Z",
    ended_at: null,
    archived_at: null,
    cancel_initiated_at: null,
    results_url: null,
    ...fields,
  };
}

function connect(origin: string, base = "/v1") {
  const endpoint = batchEndpoint(`${origin}${base}`);
  return { api: anthropicBatchApi(endpoint), http: batchHttp(endpoint, "claude") };
}

/** Reads a batch with these fields. */
async function getBatch(fields: Record<string, unknown>) {
  await using server = await startScriptedApi({
    "GET /v1/messages/batches/msgbatch_1": { json: batch(fields) },
  });
  const { api, http } = connect(server.origin);
  return await api.get(http, "msgbatch_1");
}

Deno.test("a batch is created with all rows in one request", async () => {
  await using server = await startScriptedApi({ "POST /v1/messages/batches": { json: batch() } });
  const { api, http } = connect(server.origin);
  const bodies = ['{"max_tokens":5,"x":1.10}', '{"text":"a\\nb\u2028é"}'];
  const job = await api.create(http, jobInput(api, { bodies }));

  const [{ headers, body }] = server.requests;
  assert.equal(
    body,
    `{"requests":[{"custom_id":"${rowId(0)}","params":{"max_tokens":5,"x":1.10}},` +
      `{"custom_id":"${rowId(1)}","params":{"text":"a\\nb\\u2028é"}}]}`,
  );
  assert.equal(headers["content-length"], String(new TextEncoder().encode(body).length));
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["x-api-key"], "sk-secret");
  assert.equal(headers["anthropic-version"], "2023-06-01");
  assert.equal(job.id, "msgbatch_1");
  assert.equal(job.status, "running");
  assert.equal(job.rows, 2);
  assert.equal(job.createdAt, Date.parse(CREATED));
  assert.equal(job.expiresAt, Date.parse("2026-11-21T10:00:00Z"));
  // 29 days after its creation.
  assert.equal(job.resultsExpireAt, Date.parse("2026-12-19T10:00:00Z"));
});

for (const chunk of [1, 64, 100_000]) {
  Deno.test(`rows are joined whatever the size of the chunks (${chunk})`, async () => {
    await using server = await startScriptedApi({ "POST /v1/messages/batches": { json: batch() } });
    const { api, http } = connect(server.origin);
    const bodies = Array.from({ length: 50 }, (_, index) => `{"n":${index}}`);
    await api.create(http, jobInput(api, { bodies, chunk }));
    const { requests } = JSON.parse(server.requests[0].body);
    assert.deepEqual(
      requests,
      bodies.map((_, index) => ({ custom_id: rowId(index), params: { n: index } })),
    );
  });
}

Deno.test("counts are only known at the end", async () => {
  assert.equal((await getBatch({})).counts, undefined);
  const job = await getBatch({
    processing_status: "ended",
    request_counts: { processing: 0, succeeded: 5, errored: 2, canceled: 0, expired: 0 },
  });
  assert.equal(job.status, "completed");
  assert.deepEqual(job.counts, { succeeded: 5, failed: 2 });
  assert.equal(job.rows, 7);
});

Deno.test("the reason for the end is found in the fields", async () => {
  const counts = { processing: 0, succeeded: 1, errored: 0, canceled: 0, expired: 3 };
  const expired = await getBatch({ processing_status: "ended", request_counts: counts });
  assert.equal(expired.status, "expired");
  const cancelled = { cancel_initiated_at: CREATED };
  assert.equal(
    (await getBatch({ processing_status: "canceling", ...cancelled })).status,
    "cancelling",
  );
  assert.equal((await getBatch({ processing_status: "ended", ...cancelled })).status, "cancelled");
});

Deno.test("a batch whose results are deleted says so", async () => {
  const job = await getBatch({ processing_status: "ended", archived_at: CREATED });
  assert.match(job.problems?.[0].message ?? "", /deleted the results/);
});

const RESULTS = [
  { custom_id: rowId(1), result: { type: "succeeded", message: { id: "msg_1", cost: 1 } } },
  {
    custom_id: rowId(0),
    result: {
      type: "errored",
      error: { type: "error", error: { type: "overloaded_error", message: "busy" } },
    },
  },
  { custom_id: rowId(2), result: { type: "canceled" } },
  { custom_id: rowId(3), result: { type: "expired" } },
].map((line) => `${JSON.stringify(line)}\n`).join("");

const DECODED = [
  { id: rowId(1), kind: "answer", body: { id: "msg_1", cost: 1 } },
  {
    id: rowId(0),
    kind: "error",
    status: 529,
    body: { type: "error", error: { type: "overloaded_error", message: "busy" } },
  },
  { id: rowId(2), kind: "not_run", reason: "cancelled" },
  { id: rowId(3), kind: "not_run", reason: "expired" },
];

Deno.test("results are read from the URL in the batch", async () => {
  await using server = await startScriptedApi((origin) => ({
    "GET /v1/messages/batches/msgbatch_1": {
      json: batch({ processing_status: "ended", results_url: `${origin}/elsewhere` }),
    },
    "GET /elsewhere": { text: `${RESULTS}no json\n{"custom_id":7}\n` },
  }));
  const { api, http } = connect(server.origin);
  const job = await api.get(http, "msgbatch_1");
  assert.deepEqual(await allResults(api, http, job), DECODED);
  assert.equal(server.requests[1].headers["x-api-key"], "sk-secret");
});

Deno.test("behind a proxy, results are read through the proxy, which has the key", async () => {
  await using server = await startScriptedApi({
    "GET /proxy/v1/messages/batches/msgbatch_1": {
      json: batch({
        processing_status: "ended",
        results_url: "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results",
      }),
    },
    "GET /proxy/v1/messages/batches/msgbatch_1/results": { text: RESULTS },
  });
  const { api, http } = connect(server.origin, "/proxy/v1");
  const job = await api.get(http, "msgbatch_1");
  assert.deepEqual(await allResults(api, http, job), DECODED);
});

Deno.test("an errored row without an envelope gets one", async () => {
  const error = { type: "invalid_request_error", message: "max_tokens is missing" };
  await using server = await startScriptedApi({
    "GET /v1/messages/batches/msgbatch_1/results": {
      text: JSON.stringify({ custom_id: rowId(0), result: { type: "errored", error } }),
    },
  });
  const { api, http } = connect(server.origin);
  const [row] = await allResults(api, http, { id: "msgbatch_1", status: "completed" });
  assert.equal(row.kind === "error" && row.status, 400);
  assert.deepEqual(row.kind === "error" && (row.body as { error: unknown }).error, error);
});

Deno.test("candidates are batches of the same size, from every page until the given time", async () => {
  const page = (id: string, created: string, rows: number) =>
    batch({ id, created_at: created, request_counts: { processing: rows, succeeded: 0 } });
  await using server = await startScriptedApi({
    "GET /v1/messages/batches?limit=100": {
      json: {
        data: [page("b4", "2026-11-20T12:00:00Z", 2), page("b3", "2026-11-20T11:59:00Z", 9)],
        has_more: true,
        first_id: "b4",
        last_id: "b3",
      },
    },
    "GET /v1/messages/batches?limit=100&after_id=b3": {
      json: { data: [page("b2", "2026-11-20T11:58:00Z", 2)], has_more: true, last_id: "b2" },
    },
    "GET /v1/messages/batches?limit=100&after_id=b2": {
      json: { data: [page("b1", "2026-11-20T09:00:00Z", 2)], has_more: true, last_id: "b1" },
    },
  });
  const { api, http } = connect(server.origin);
  const input = jobInput(api, { bodies: ["{}", "{}"] });
  const jobs = await api.find(http, input, Date.parse("2026-11-20T11:00:00Z"));
  assert.deepEqual(jobs.map(({ id }) => id), ["b4", "b2"]);
  assert.equal(server.requests.length, 3);
  assert.equal(api.foundBy, "nothing");
});

Deno.test("a batch can be cancelled and deleted", async () => {
  await using server = await startScriptedApi({
    "POST /v1/messages/batches/msgbatch_1/cancel": { json: batch() },
  });
  const { api, http } = connect(server.origin);
  await api.cancel?.(http, "msgbatch_1");
  // It is deleted already: the server answers 404.
  await api.clean?.(http, { id: "msgbatch_1", status: "completed" }, undefined);
  assert.deepEqual(server.lines(), [
    "POST /v1/messages/batches/msgbatch_1/cancel",
    "DELETE /v1/messages/batches/msgbatch_1",
  ]);
});

Deno.test("a refused key is an error of the create", async () => {
  await using server = await startScriptedApi({
    "POST /v1/messages/batches": {
      status: 401,
      json: {
        type: "error",
        error: { type: "authentication_error", message: "invalid x-api-key" },
      },
    },
  });
  const { api, http } = connect(server.origin);
  await assert.rejects(api.create(http, jobInput(api, { bodies: ["{}"] })), AuthenticationError);
});

Deno.test("requests that batches refuse are found before they are sent", () => {
  const api = anthropicBatchApi(batchEndpoint("https://api.anthropic.com/v1"));
  const problem = (body: unknown) =>
    api.rowProblem?.({ body: JSON.stringify(body), model: "m", path: "/messages" });
  assert.equal(problem({ max_tokens: 5, stream: false }), undefined);
  assert.match(problem({ max_tokens: 5, stream: true }) ?? "", /stream/);
  assert.match(problem({ max_tokens: 0 }) ?? "", /max_tokens: 0/);
  assert.match(problem({ max_tokens: 5, speed: "fast" }) ?? "", /speed/);
});
