/** The mock's Fireworks jobs: datasets, ids that the client chooses, and signed URLs. */
import assert from "node:assert/strict";
import { type MockBatchOptions, startMockServer } from "../../../mod.ts";
import type { Json } from "../../../lib/json/json.ts";
import { advance, setFaults, totals } from "./control.ts";

const MODEL = "accounts/fireworks/models/glm-5";
const ACCOUNT = "accounts/mock";

function line(id: string, text: string, more: Json = {}): string {
  const body = { messages: [{ role: "user", content: text }], ...more };
  return `${JSON.stringify({ custom_id: id, body })}\n`;
}

function linesOf(count: number): string {
  return Array.from({ length: count }, (_, i) => line(`row-${i}`, `Question ${i}`)).join("");
}

function client(origin: string, key?: string) {
  const headers = key === undefined ? undefined : { authorization: `Bearer ${key}` };
  const send = async (method: string, path: string, body?: Json | FormData) => {
    const response = await fetch(`${origin}/fireworks/v1/${path}`, {
      method,
      headers,
      body: body instanceof FormData || body === undefined ? body : JSON.stringify(body),
    });
    return { status: response.status, json: await response.json() };
  };
  const ok = async (method: string, path: string, body?: Json | FormData) => {
    const { status, json } = await send(method, path, body);
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  return {
    send,
    ok,
    async upload(datasetId: string, text: string, exampleCount = "1"): Promise<void> {
      const dataset = { userUploaded: {}, exampleCount };
      await ok("POST", `${ACCOUNT}/datasets`, { datasetId, dataset });
      const form = new FormData();
      form.append("file", new Blob([text]), "input.jsonl");
      await ok("POST", `${ACCOUNT}/datasets/${datasetId}:upload`, form);
    },
    create: (id: string, inputDatasetId: string, more: Json = {}) =>
      send("POST", `${ACCOUNT}/batchInferenceJobs?batchInferenceJobId=${id}`, {
        model: MODEL,
        inputDatasetId,
        ...more,
      }),
    get: (id: string) => ok("GET", `${ACCOUNT}/batchInferenceJobs/${id}`),
    async files(dataset: string): Promise<Map<string, Json[]>> {
      const { filenameToSignedUrls } = await ok("GET", `${dataset}:getDownloadEndpoint`);
      const files = new Map<string, Json[]>();
      for (const [name, url] of Object.entries<string>(filenameToSignedUrls)) {
        // Without the key: the URL is signed.
        const response = await fetch(url);
        const text = await response.text();
        assert.equal(response.status, 200, text);
        const lines = text.split("\n").filter((line) => line !== "");
        files.set(name.split("/").at(-1)!, lines.map((line) => JSON.parse(line)));
      }
      return files;
    },
  };
}

async function withMock(
  batch: MockBatchOptions,
  use: (api: ReturnType<typeof client>, origin: string) => Promise<void>,
) {
  await using server = await startMockServer({ batch, apiKey: "secret" });
  const origin = server.baseUrl.replace("/v1", "");
  await use(client(origin, "secret"), origin);
}

/** `use` with a mock that needs no key, whose clock and ledger can be used. */
async function withOpenMock(
  batch: MockBatchOptions,
  use: (api: ReturnType<typeof client>, origin: string) => Promise<void>,
) {
  await using server = await startMockServer({ batch });
  const origin = server.baseUrl.replace("/v1", "");
  await use(client(origin), origin);
}

Deno.test("datasets, a job with a chosen id, and results at signed URLs", () =>
  withMock({}, async (api, origin) => {
    const { accounts } = await api.ok("GET", "accounts");
    assert.equal(accounts[0].name, ACCOUNT);
    await api.upload("input", linesOf(9) + line("bad", "Hi", { temperature: "hot" }));
    const dataset = await api.ok("GET", `${ACCOUNT}/datasets/input`);
    assert.deepEqual([dataset.state, dataset.exampleCount], ["READY", "1"]);
    const created = await api.create("my-job", "input", { outputDatasetId: "output" });
    assert.equal(created.status, 200);
    assert.equal(created.json.name, `${ACCOUNT}/batchInferenceJobs/my-job`);
    const again = await api.create("my-job", "input");
    assert.equal(again.status, 409);
    assert.equal(again.json.code, 6);
    const job = await api.get("my-job");
    assert.equal(job.state, "JOB_STATE_COMPLETED");
    assert.equal(job.inputDatasetId, `${ACCOUNT}/datasets/input`);
    assert.equal(job.jobProgress.successfullyProcessedRequests, 9);
    assert.equal(job.jobProgress.failedRequests, 1);
    assert.equal(job.jobProgress.totalInputRequests, 1, "what the dataset declared");
    const files = await api.files(job.outputDatasetId);
    assert.deepEqual([...files.keys()], ["BIJOutputSet.jsonl", "error-data"]);
    const results = files.get("BIJOutputSet.jsonl")!;
    assert.equal(results.length, 9);
    for (const { custom_id, response } of results) {
      const content = `Question ${String(custom_id).slice(4)}`;
      const single = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer secret" },
        body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content }] }),
      });
      const { choices, model } = await single.json();
      assert.deepEqual((response as Json).choices, choices);
      assert.equal((response as Json).model, model);
    }
    assert.deepEqual(files.get("error-data")!.map(({ custom_id }) => custom_id), ["bad"]);
    const forged = await fetch(`${origin}/__mock/signed/fireworks/x/BIJOutputSet.jsonl`);
    assert.equal(forged.status, 403);
    await forged.body?.cancel();
  }));

Deno.test("parameters of the job apply to rows without their own", () =>
  withOpenMock({}, async (api) => {
    const text = line("short", "Tell me a lot") + line("own", "Tell me a lot", { max_tokens: 400 });
    await api.upload("input", text, "2");
    const inferenceParameters = { maxTokens: 3, extraBody: '{"stop": ["\\n"]}' };
    await api.create("job", "input", { inferenceParameters });
    const { outputDatasetId } = await api.get("job");
    const rows = (await api.files(outputDatasetId)).get("BIJOutputSet.jsonl")!;
    const tokens = Object.fromEntries(rows.map(({ custom_id, response }) => {
      const { usage } = response as { usage: { completion_tokens: number } };
      return [custom_id, usage.completion_tokens];
    }));
    assert.equal(tokens.short, 3);
    assert.ok(tokens.own > 3);
  }));

Deno.test("states, and an expired job with the rows that were done", () =>
  withOpenMock({ duration: 100, faults: ["expire=40%@2-2"] }, async (api, origin) => {
    await api.upload("input", linesOf(10), "10");
    await api.create("good", "input");
    await api.create("late", "input");
    assert.equal((await api.get("good")).state, "JOB_STATE_VALIDATING");
    await advance(origin, 50);
    const running = await api.get("good");
    assert.equal(running.state, "JOB_STATE_RUNNING");
    assert.equal(running.jobProgress.totalProcessedRequests, 5);
    const early = await api.send("GET", `${running.outputDatasetId}:getDownloadEndpoint`);
    assert.equal(early.status, 404);
    await advance(origin, 51);
    assert.equal((await api.get("good")).state, "JOB_STATE_COMPLETED");
    const late = await api.get("late");
    assert.equal(late.state, "JOB_STATE_EXPIRED");
    const files = await api.files(late.outputDatasetId);
    assert.equal(files.get("BIJOutputSet.jsonl")!.length, 4);
    assert.deepEqual(files.get("error-data"), []);
    assert.equal((await totals(origin)).billed, 14);
    const { batchInferenceJobs } = await api.ok("GET", `${ACCOUNT}/batchInferenceJobs`);
    assert.deepEqual(
      batchInferenceJobs.map(({ displayName }: Json) => displayName),
      ["late", "good"],
    );
  }));

Deno.test("an invalid dataset makes the job fail, without output", () =>
  withOpenMock({}, async (api) => {
    const bad: [string, RegExp][] = [
      ["not json\n", /line 3 is not a JSON object/],
      [line("row-0", "Hi"), /repeats the custom_id row-0/],
      ['{"custom_id":"a"}\n', /line 3 has no body/],
      ['{"body":{}}\n', /line 3 has no custom_id/],
    ];
    for (const [index, [text, message]] of bad.entries()) {
      await api.upload(`input-${index}`, linesOf(2) + text);
      await api.create(`job-${index}`, `input-${index}`);
      const { state, status, outputDatasetId } = await api.get(`job-${index}`);
      assert.equal(state, "JOB_STATE_FAILED");
      assert.match(status.message, message);
      const { status: download } = await api.send("GET", `${outputDatasetId}:getDownloadEndpoint`);
      assert.equal(download, 404);
    }
  }));

Deno.test("bad requests are refused in the form of the gateway", () =>
  withOpenMock({}, async (api) => {
    const datasets = `${ACCOUNT}/datasets`;
    const uncounted = { datasetId: "a", dataset: { userUploaded: {} } };
    const { status, json } = await api.send("POST", datasets, uncounted);
    assert.deepEqual([status, json], [400, {
      code: 3,
      message: "example_count is required for uploaded datasets",
      details: [],
    }]);
    await api.ok("POST", datasets, { datasetId: "a", dataset: { exampleCount: "1" } });
    assert.equal((await api.ok("GET", `${datasets}/a`)).state, "UPLOADING");
    assert.equal((await api.create("job", "a")).status, 400, "nothing was uploaded");
    const taken = await api.send("POST", datasets, {
      datasetId: "a",
      dataset: { exampleCount: "1" },
    });
    assert.equal(taken.status, 409);
    assert.equal((await api.create("job", "missing")).status, 404);
    assert.equal((await api.create("No_Good", "a")).status, 400);
    assert.equal((await api.send("GET", `${ACCOUNT}/batchInferenceJobs/x`)).status, 404);
    await api.ok("DELETE", `${datasets}/a`);
    assert.equal((await api.send("GET", `${datasets}/a`)).status, 404);
  }));

Deno.test("a create that loses its answer is found by its id, and a deleted job is gone", () =>
  withOpenMock({}, async (api, origin) => {
    await api.upload("input", linesOf(3));
    await setFaults(origin, "create_commit_drop@1", "cut_download@1", "file_not_found@2-2");
    await assert.rejects(api.create("job", "input"));
    const { outputDatasetId } = await api.get("job");
    await assert.rejects(api.files(outputDatasetId));
    assert.equal((await api.files(outputDatasetId)).get("BIJOutputSet.jsonl")!.length, 3);
    assert.equal(
      (await api.create("other", "input")).status,
      404,
      "a dataset that is not found yet",
    );
    assert.equal((await api.create("other", "input")).status, 200);
    await api.ok("DELETE", `${ACCOUNT}/batchInferenceJobs/job`);
    assert.equal((await api.send("GET", `${ACCOUNT}/batchInferenceJobs/job`)).status, 404);
  }));
