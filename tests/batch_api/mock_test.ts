/** The batch APIs against the mock, which the providers' own packages are tested with. */
import assert from "node:assert/strict";
import { createFailure } from "../../lib/batch/jobs/create_failure.ts";
import { type BatchApi, isFinal, type JobInput } from "../../lib/batch_api/batch_api.ts";
import type { BatchHttp } from "../../lib/batch_api/batch_http.ts";
import type { ServiceName } from "../../lib/services/services.ts";
import { type MockServer, startMockServer } from "../../mod.ts";
import { batchApi, collect, endpointOf, inputOf, resultsOf } from "./setup.ts";

type Case = [service: ServiceName, path: string, format?: string];

const CASES: Case[] = [
  ["openai", "/v1"],
  ["openai", "/v1", "responses"],
  ["azure", "/azure/openai/v1"],
  ["azure", "/azure/openai/deployments/any?api-version=2026-01-01"],
  ["groq", "/groq/openai/v1"],
  ["siliconflow", "/v1"],
  ["qwen", "/v1"],
  ["together", "/together/v1"],
  ["mistral", "/mistral/v1"],
];

interface Setup {
  api: BatchApi;
  http: BatchHttp;
  input: JobInput;
}

function setUp(server: MockServer, [service, path, format = "chat"]: Case): Setup {
  const url = `${new URL(server.baseUrl).origin}${path}`;
  const { api, http } = batchApi(endpointOf(url, service), format);
  const isChat = format === "chat";
  const operation = isChat ? "/chat/completions" : "/responses";
  const rows = Array.from({ length: 5 }, (_, i) => {
    const messages = [{ role: "user", content: `Question ${i}` }];
    const fields = isChat ? { messages } : { input: messages };
    const body = JSON.stringify({ model: "any", ...fields });
    const row = { body, model: "any", path: operation };
    assert.equal(api.rowProblem!(row), undefined);
    return `${api.encodeRow(`abc0123456_${i}_00000000`, row)}\n`;
  });
  return { api, http, input: inputOf(rows.join(""), { model: "any", path: operation }) };
}

async function submit({ api, http, input }: Setup): Promise<string> {
  input.uploaded = await api.upload!(http, input);
  return (await api.create(http, input)).id;
}

function titleOf([service, path, format]: Case): string {
  return `${service} at ${path}${format === undefined ? "" : ` (${format})`}`;
}

for (const testCase of CASES) {
  Deno.test(`${titleOf(testCase)}: a job from its upload to its deletion`, async () => {
    await using server = await startMockServer();
    const setup = setUp(server, testCase);
    const { api, http, input } = setup;
    const id = await submit(setup);
    assert.deepEqual((await api.find(http, input, Date.now() - 60_000)).map((job) => job.id), [id]);
    const job = await api.get(http, id);
    assert.equal(job.status, "completed");
    assert.equal(job.inputFile, input.uploaded!.file);
    assert.ok(Math.abs(job.createdAt! - Date.now()) < 600_000);
    const rows = await resultsOf(setup, id);
    assert.deepEqual(
      rows.map((row) => [row.id, row.kind]).sort(),
      Array.from({ length: 5 }, (_, i) => [`abc0123456_${i}_00000000`, "answer"]),
    );
    await api.cancel!(http, id);
    await api.clean!(http, job, input.uploaded);
    await api.clean!(http, job, input.uploaded);
    await assert.rejects(collect(api.results(http, job, JSON.parse)), { status: 404 });
  });
}

Deno.test("a create whose answer is lost is found again, on pages of one job", async () => {
  for (const testCase of CASES) {
    const faults = ["create_commit_drop@2-2", "list_page=1"];
    await using server = await startMockServer({ batch: { faults } });
    const first = setUp(server, testCase);
    await submit(first);
    const second = setUp(server, testCase);
    second.input.nonce = "xyz0123456";
    const error = await submit(second).then(() => undefined, (error) => error);
    assert.equal(error?.code, "connection", titleOf(testCase));
    assert.equal(error.sent, true);
    const third = setUp(server, testCase);
    third.input.nonce = "uvw0123456";
    await submit(third);
    const { api, http, input } = second;
    const found = await api.find(http, input, Date.now() - 60_000);
    assert.equal(found.length, 1, titleOf(testCase));
    assert.equal(found[0].inputFile, input.uploaded!.file);
  }
});

Deno.test("a job that expires or is cancelled has the rows that are done", async () => {
  for (const testCase of CASES) {
    await using server = await startMockServer({ batch: { faults: ["expire=60%"] } });
    const setup = setUp(server, testCase);
    const id = await submit(setup);
    let { status } = await setup.api.get(setup.http, id);
    if (!isFinal(status)) {
      const clock = new URL("/__mock/batches/clock", server.baseUrl);
      await (await fetch(clock, { method: "POST", body: '{"advance": 172800}' })).body?.cancel();
      ({ status } = await setup.api.get(setup.http, id));
    }
    assert.equal(status, "expired", titleOf(testCase));
    const rows = await resultsOf(setup, id);
    const answers = rows.filter(({ kind }) => kind === "answer");
    assert.ok(answers.length > 0 && answers.length < 5, `${titleOf(testCase)}: ${answers.length}`);
    for (const row of rows) {
      if (row.kind === "answer") continue;
      assert.equal(row.kind, "not_run", titleOf(testCase));
      assert.equal(row.kind === "not_run" && row.reason, "expired");
    }
  }
});

Deno.test("a cancelled job reports it, and what was done", async () => {
  for (const testCase of CASES) {
    await using server = await startMockServer({ batch: { duration: 1000 } });
    const setup = setUp(server, testCase);
    const id = await submit(setup);
    const clock = new URL("/__mock/batches/clock", server.baseUrl);
    const advance = async (seconds: number) => {
      const body = JSON.stringify({ advance: seconds });
      await (await fetch(clock, { method: "POST", body })).body?.cancel();
    };
    await advance(500);
    await setup.api.cancel!(setup.http, id);
    await advance(1000);
    const { status } = await setup.api.get(setup.http, id);
    assert.equal(status, "cancelled", titleOf(testCase));
    for (const row of await resultsOf(setup, id)) {
      assert.ok(row.kind === "answer" || (row.kind === "not_run" && row.reason === "cancelled"));
    }
  }
});

Deno.test("odd answers of the mock are understood", async () => {
  const faults = ["capital_status", "blank_error_file", "line_separators", "file_not_found@1"];
  for (const testCase of CASES) {
    await using server = await startMockServer({ batch: { faults } });
    const setup = setUp(server, testCase);
    const refused = await submit(setup).then(() => undefined, (error) => error);
    if (refused !== undefined && typeof refused !== "string") {
      const failure = createFailure(refused, setup.api);
      assert.equal(failure, "later", `${titleOf(testCase)}: ${refused.message}`);
    }
    const id = await submit(setup);
    const { status } = await setup.api.get(setup.http, id);
    assert.equal(status, "completed", titleOf(testCase));
    const rows = await resultsOf(setup, id);
    assert.equal(rows.length, 5, titleOf(testCase));
    assert.ok(JSON.stringify(rows).includes("\u2028"), titleOf(testCase));
  }
});

Deno.test("a bad line fails the job, with its number where the provider tells it", async () => {
  for (const testCase of CASES) {
    await using server = await startMockServer({ batch: { faults: ["invalid_line=3"] } });
    const setup = setUp(server, testCase);
    const id = await submit(setup);
    const { status, problems } = await setup.api.get(setup.http, id);
    assert.equal(status, "failed", titleOf(testCase));
    assert.ok(problems![0].message, titleOf(testCase));
    if (setup.api.name === "openai") assert.equal(problems![0].line, 3, titleOf(testCase));
    assert.deepEqual(await resultsOf(setup, id), []);
  }
});

Deno.test("a download that breaks off is an error", async () => {
  for (const testCase of CASES) {
    await using server = await startMockServer({ batch: { faults: ["cut_download@1"] } });
    const setup = setUp(server, testCase);
    const id = await submit(setup);
    await assert.rejects(resultsOf(setup, id), { code: "connection" }, titleOf(testCase));
    assert.equal((await resultsOf(setup, id)).length, 5, titleOf(testCase));
  }
});
