/** Gemini's batches. Source: Gemini API, "Batch API" and "Files API", and `@google/genai`. */
import assert from "node:assert/strict";
import { geminiBatchApi, isVertex } from "../../lib/batch_api/gemini/gemini.ts";
import { HttpError } from "../../lib/http_errors.ts";
import {
  allResults,
  batchEndpoint,
  batchHttp,
  jobInput,
  NONCE,
  rowId,
  startScriptedApi,
} from "./scripted_api.ts";

const MODEL = "gemini-2.5-flash";
const PATH = `/models/${MODEL}:generateContent`;
const CREATE = `POST /v1beta/models/${MODEL}:batchGenerateContent`;
const GET = "GET /v1beta/batches/b1";

const INLINE = { model: MODEL, path: PATH, bodies: ['{"contents":[{"x":1.10}]}', '{"a":"é,\\n"}'] };

function operation(metadata: Record<string, unknown> = {}, fields: Record<string, unknown> = {}) {
  return {
    name: "batches/b1",
    metadata: {
      "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
      model: `models/${MODEL}`,
      displayName: `flexllm-${NONCE}`,
      state: "BATCH_STATE_PENDING",
      createTime: "2026-11-20T10:00:00.123456Z",
      batchStats: { requestCount: "2", pendingRequestCount: "2" },
      ...metadata,
    },
    ...fields,
  };
}

function connect(origin: string, base = "/v1beta") {
  const endpoint = batchEndpoint(`${origin}${base}`);
  return { api: geminiBatchApi(endpoint), http: batchHttp(endpoint, "gemini") };
}

/** Reads a batch that the server describes as `json`. */
async function getBatch(json: unknown) {
  await using server = await startScriptedApi({ [GET]: { json } });
  const { api, http } = connect(server.origin);
  return await api.get(http, "batches/b1");
}

Deno.test("a small input is sent with the create", async () => {
  await using server = await startScriptedApi({ [CREATE]: { json: operation() } });
  const { api, http } = connect(server.origin);
  const input = jobInput(api, INLINE);
  assert.equal(api.needsUpload?.(input), false);
  const job = await api.create(http, input);

  const [{ headers, body }] = server.requests;
  assert.equal(
    body,
    `{"batch":{"displayName":"flexllm-${NONCE}","inputConfig":{"requests":{"requests":[` +
      `{"metadata":{"key":"${rowId(0)}"},"request":{"contents":[{"x":1.10}]}},` +
      `{"metadata":{"key":"${rowId(1)}"},"request":{"a":"é,\\n"}}]}}}}`,
  );
  assert.equal(headers["content-length"], String(new TextEncoder().encode(body).length));
  assert.equal(headers["x-goog-api-key"], "sk-secret");
  assert.deepEqual(
    [job.id, job.status, job.rows, job.nonce, job.model],
    ["batches/b1", "queued", 2, NONCE, MODEL],
  );
  assert.equal(job.expiresAt, Date.parse("2026-11-22T10:00:00.123Z"));
});

Deno.test("large inputs, many rows and models that answer with media need a file", () => {
  const { api } = connect("http://127.0.0.1");
  const needsUpload = (fields: object) =>
    api.needsUpload?.({ ...jobInput(api, { bodies: ["{}"] }), ...fields });
  assert.equal(needsUpload({ model: MODEL, rows: 100, bytes: 14_000_000 }), false);
  assert.equal(needsUpload({ model: MODEL, rows: 101, bytes: 10_000 }), true);
  assert.equal(needsUpload({ model: MODEL, rows: 1, bytes: 15_000_000 }), true);
  assert.equal(needsUpload({ model: "gemini-2.5-flash-image", rows: 1, bytes: 100 }), true);
});

for (const base of ["", "/proxy"]) {
  Deno.test(`an input file is uploaded in chunks${base && " through a proxy"}`, async () => {
    const start = `POST ${base}/upload/v1beta/files`;
    const chunk = `POST /session?upload_id=7`;
    let chunks = 0;
    await using server = await startScriptedApi((origin) => ({
      [start]: { headers: { "x-goog-upload-url": `${origin}/session?upload_id=7` } },
      [chunk]: () =>
        ++chunks < 3 ? { headers: { "x-goog-upload-status": "active" } } : {
          json: {
            file: {
              name: "files/f1",
              state: "ACTIVE",
              expirationTime: "2026-11-22T10:00:00Z",
            },
          },
        },
      [CREATE.replace("/v1beta", `${base}/v1beta`)]: {
        json: operation({ inputConfig: { fileName: "files/f1" } }),
      },
    }));
    const { api, http } = connect(server.origin, `${base}/v1beta`);
    const bodies = Array.from({ length: 20 }, () => `{"text":"${"x".repeat(1_000_000)}"}`);
    const input = jobInput(api, { model: MODEL, path: PATH, bodies, chunk: 65_536 });
    const uploaded = await api.upload?.(http, input);
    assert.deepEqual(uploaded, { file: "files/f1", expiresAt: Date.parse("2026-11-22T10:00:00Z") });

    const [first, ...rest] = server.requests;
    assert.equal(first.headers["x-goog-upload-protocol"], "resumable");
    assert.equal(first.headers["x-goog-upload-command"], "start");
    assert.equal(first.headers["x-goog-upload-header-content-length"], String(input.bytes));
    assert.deepEqual(JSON.parse(first.body), { file: { displayName: `flexllm-${NONCE}.jsonl` } });
    assert.deepEqual(
      rest.map(({ headers }) => [
        headers["x-goog-upload-command"],
        headers["x-goog-upload-offset"],
        headers["content-length"],
      ]),
      [
        ["upload", "0", "8388608"],
        ["upload", "8388608", "8388608"],
        ["upload, finalize", "16777216", String(input.bytes - 16_777_216)],
      ],
    );
    const lines = rest.map(({ body }) => body).join("").trimEnd().split("\n");
    assert.deepEqual(lines, bodies.map((body, i) => `{"key":"${rowId(i)}","request":${body}}`));

    const job = await api.create(http, { ...input, uploaded });
    assert.deepEqual(JSON.parse(server.requests[4].body), {
      batch: { displayName: `flexllm-${NONCE}`, inputConfig: { fileName: "files/f1" } },
    });
    assert.equal(job.inputFile, "files/f1");
  });
}

Deno.test("a file that Google cannot process fails the upload", async () => {
  await using server = await startScriptedApi((origin) => ({
    "POST /upload/v1beta/files": { headers: { "x-goog-upload-url": `${origin}/session` } },
    "POST /session": { json: { file: { name: "files/f1", state: "FAILED" } } },
  }));
  const { api, http } = connect(server.origin);
  await assert.rejects(
    async () => await api.upload?.(http, jobInput(api, INLINE)),
    /could not process/,
  );
});

Deno.test("a malformed row is an error of the create", async () => {
  const error = { code: 400, message: "Invalid JSON payload", status: "INVALID_ARGUMENT" };
  await using server = await startScriptedApi({ [CREATE]: { status: 400, json: { error } } });
  const { api, http } = connect(server.origin);
  await assert.rejects(
    api.create(http, jobInput(api, INLINE)),
    (thrown) => thrown instanceof HttpError && thrown.status === 400,
  );
});

for (
  const [state, status] of [
    ["BATCH_STATE_UNSPECIFIED", "validating"],
    ["BATCH_STATE_PENDING", "queued"],
    ["BATCH_STATE_RUNNING", "running"],
    ["BATCH_STATE_SUCCEEDED", "completed"],
    ["JOB_STATE_SUCCEEDED", "completed"],
    ["BATCH_STATE_FAILED", "failed"],
    ["BATCH_STATE_CANCELLED", "cancelled"],
    ["JOB_STATE_EXPIRED", "expired"],
    ["BATCH_STATE_NEW", "running"],
  ]
) {
  Deno.test(`the state ${state} is ${status}`, async () => {
    assert.equal((await getBatch(operation({ state }))).status, status);
  });
}

Deno.test("an operation that is done without a known state has ended", async () => {
  assert.equal(
    (await getBatch({ name: "batches/b1", done: true, response: {} })).status,
    "completed",
  );
  const error = { code: 13, message: "Internal" };
  const failed = await getBatch({ name: "batches/b1", done: true, error });
  assert.equal(failed.status, "failed");
  assert.deepEqual(failed.problems, [{ message: "Internal", code: "13" }]);
});

Deno.test("the error of a cancelled batch is no problem", async () => {
  const error = { code: 13, message: "The batch was cancelled" };
  const job = await getBatch(operation({ state: "BATCH_STATE_CANCELLED" }, { done: true, error }));
  assert.equal(job.problems, undefined);
});

Deno.test("a batch may be described in snake case, and without an operation", async () => {
  const job = await getBatch({
    name: "batches/b1",
    state: "BATCH_STATE_SUCCEEDED",
    display_name: `flexllm-${NONCE}`,
    create_time: "2026-11-20T10:00:00Z",
    end_time: "2026-11-20T11:00:00Z",
    batch_stats: { request_count: 3, successful_request_count: "2", failed_request_count: "1" },
    input_config: { file_name: "files/in" },
    response: { responses_file: "files/out" },
  });
  assert.deepEqual(job.counts, { succeeded: 2, failed: 1 });
  assert.deepEqual(
    [job.rows, job.nonce, job.inputFile, job.output],
    [3, NONCE, "files/in", { responsesFile: "files/out" }],
  );
  assert.equal(job.resultsExpireAt, Date.parse("2026-11-22T11:00:00Z"));
});

const ANSWER = { candidates: [{ content: { parts: [{ text: "hi" }] } }] };

/** Results as they are in a file, shuffled, and what they mean. */
const ROWS = [
  { id: 1, fields: { response: ANSWER } },
  { id: 0, fields: { error: { code: 3, message: "bad", status: "INVALID_ARGUMENT" } } },
  { id: 3, fields: { status: { code: 8, message: "no quota" } } },
  { id: 2, fields: { error: { code: 1, message: "cancelled" } } },
];
const DECODED = [
  { id: rowId(1), kind: "answer", body: ANSWER },
  {
    id: rowId(0),
    kind: "error",
    status: 400,
    body: { error: { code: 400, message: "bad", status: "INVALID_ARGUMENT" } },
  },
  {
    id: rowId(3),
    kind: "error",
    status: 429,
    body: { error: { code: 429, message: "no quota" } },
  },
  { id: rowId(2), kind: "not_run", reason: "cancelled" },
];

for (const path of ["/v1beta/files/out:download", "/download/v1beta/files/out:download"]) {
  Deno.test(`results are downloaded from ${path}`, async () => {
    const lines = ROWS.map(({ id, fields }) => JSON.stringify({ key: rowId(id), ...fields }));
    await using server = await startScriptedApi({
      [`GET ${path}?alt=media`]: { text: `${lines.join("\n")}\nno json\n{"response":{}}\n` },
    });
    const { api, http } = connect(server.origin);
    const job = {
      id: "batches/b1",
      status: "completed" as const,
      output: { responsesFile: "files/out" },
    };
    assert.deepEqual(await allResults(api, http, job), DECODED);
    assert.equal(server.requests.at(-1)?.headers["x-goog-api-key"], "sk-secret");
  });
}

Deno.test("a download that fails is an error", async () => {
  await using server = await startScriptedApi({
    "GET /v1beta/files/out:download?alt=media": { status: 500, json: {} },
  });
  const { api, http } = connect(server.origin);
  const job = { id: "b", status: "completed" as const, output: { responsesFile: "files/out" } };
  await assert.rejects(allResults(api, http, job), HttpError);
  assert.equal(server.requests.length, 1);
});

const INLINED = ROWS.map(({ id, fields }) => ({ ...fields, metadata: { key: rowId(id) } }));

for (
  const [where, json] of Object.entries({
    "the response": operation({}, {
      response: { inlinedResponses: { inlinedResponses: INLINED } },
    }),
    "the metadata": operation({ output: { inlinedResponses: { inlinedResponses: INLINED } } }),
    "both": operation({ output: { inlinedResponses: { inlinedResponses: INLINED } } }, {
      response: { inlinedResponses: { inlinedResponses: INLINED } },
    }),
    "snake case": operation({}, {
      response: { inlined_responses: { inlined_responses: INLINED } },
    }),
    "a plain list": operation({}, { response: { inlinedResponses: INLINED } }),
  })
) {
  Deno.test(`inline results are read from ${where}, once`, async () => {
    await using server = await startScriptedApi({ [GET]: { json } });
    const { api, http } = connect(server.origin);
    const job = await api.get(http, "b1");
    assert.deepEqual(await allResults(api, http, job), DECODED);
  });
}

Deno.test("numbers in inline results are exact", async () => {
  await using server = await startScriptedApi({
    [GET]: {
      text: `{"name":"batches/b1","response":{"inlinedResponses":{"inlinedResponses":[` +
        `{"metadata":{"key":"${rowId(0)}"},"response":{"n":1669700650467246081}}]}}}`,
    },
  });
  const { api, http } = connect(server.origin);
  const [row] = await allResults(api, http, { id: "batches/b1", status: "completed" });
  assert.equal(JSON.stringify(row.kind === "answer" && row.body), '{"n":1669700650467246081}');
});

Deno.test("an expired batch has no results", async () => {
  await using server = await startScriptedApi({
    [GET]: { json: operation({ state: "BATCH_STATE_EXPIRED" }) },
  });
  const { api, http } = connect(server.origin);
  assert.deepEqual(await allResults(api, http, await api.get(http, "batches/b1")), []);
});

Deno.test("a batch is found by its label on any page", async () => {
  const other = operation({ displayName: "flexllm-zzzzzzzzzz" }, { name: "batches/b0" });
  await using server = await startScriptedApi({
    "GET /v1beta/batches?pageSize=100": { json: { operations: [other], nextPageToken: "p2" } },
    "GET /v1beta/batches?pageSize=100&pageToken=p2": { json: { nextPageToken: "p3" } },
    "GET /v1beta/batches?pageSize=100&pageToken=p3": { json: { operations: [operation()] } },
  });
  const { api, http } = connect(server.origin);
  const jobs = await api.find(http, jobInput(api, INLINE), Date.now());
  assert.deepEqual(jobs.map(({ id }) => id), ["batches/b1"]);
});

Deno.test("a batch is cancelled, and deleted with its files", async () => {
  const message = "You do not have permission to access the File f1 or it may not exist.";
  await using server = await startScriptedApi({
    "POST /v1beta/batches/b1:cancel": { json: {} },
    // That is the answer for a file that has expired.
    "DELETE /v1beta/files/f1": {
      status: 403,
      json: { error: { code: 403, message, status: "PERMISSION_DENIED" } },
    },
  });
  const { api, http } = connect(server.origin);
  await api.cancel?.(http, "batches/b1");
  await api.clean?.(http, { id: "batches/b1", status: "completed" }, { file: "files/f1" });
  assert.deepEqual(server.lines(), [
    "POST /v1beta/batches/b1:cancel",
    "DELETE /v1beta/files/f1",
    "DELETE /v1beta/batches/b1",
  ]);
  assert.equal(server.requests[0].body, "{}");
});

Deno.test("Vertex AI has another batch API", () => {
  const at = (baseUrl: string) => isVertex(batchEndpoint(baseUrl));
  assert.equal(at("https://generativelanguage.googleapis.com/v1beta"), false);
  assert.equal(at("https://europe-west1-aiplatform.googleapis.com/v1/projects/p"), true);
  assert.equal(at("https://proxy.example/v1/projects/p/locations/l/publishers/google"), true);
});

Deno.test("only content can be generated in a batch", () => {
  const { api } = connect("http://127.0.0.1");
  const problem = (path: string) => api.rowProblem?.({ body: "{}", model: MODEL, path });
  assert.equal(problem(PATH), undefined);
  assert.match(problem(`/models/${MODEL}:embedContent`) ?? "", /only generate content/);
});
