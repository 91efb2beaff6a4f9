/** The state of the mock's batches survives a restart. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MockBatchOptions, startMockServer } from "../../../mod.ts";
import { BatchClient, inputLines, prompts } from "../../support/batch_mock.ts";

async function withState(use: (state: string) => Promise<void>): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "flexllm-test-"));
  try {
    await use(state);
  } finally {
    rmSync(state, { recursive: true });
  }
}

async function withMock<T>(
  batch: MockBatchOptions,
  use: (client: BatchClient) => Promise<T>,
): Promise<T> {
  await using server = await startMockServer({ batch });
  return await use(new BatchClient(server.baseUrl.replace("/v1", "")));
}

Deno.test("jobs, files, the clock and the count of faults survive a restart", () =>
  withState(async (state) => {
    const options = { state, duration: 1000, faults: ["token_limit@1"] };
    const [failed, running] = await withMock(options, async (client) => {
      const ids = [(await client.batch(["a"])).id, (await client.batch(prompts(10))).id];
      await client.advance(500);
      return ids;
    });
    const cancelled = await withMock(options, async (client) => {
      assert.equal((await client.json("GET", `/batches/${failed}`)).status, "failed");
      const batch = await client.json("GET", `/batches/${running}`);
      assert.deepEqual([batch.status, batch.request_counts.completed], ["in_progress", 5]);
      const { id } = await client.batch(["b"]);
      await client.advance(500);
      return (await client.json("POST", `/batches/${id}/cancel`, {})).id;
    });
    await withMock(options, async (client) => {
      const { output_file_id } = await client.json("GET", `/batches/${running}`);
      assert.equal((await client.content(output_file_id)).length, 10);
      const { jobs, totals, rows } = await client.ledger();
      assert.deepEqual(jobs.map(({ id }: { id: string }) => id), [failed, running, cancelled]);
      assert.deepEqual([totals.billed, totals.billed_twice, rows.length], [10, 0, 10]);
    });
  }));

Deno.test("a torn last record is dropped, and another file is not taken for a state", () =>
  withState(async (state) => {
    const log = join(state, "batches.jsonl");
    const id = await withMock({ state }, async (client) => (await client.batch(["a"])).id);
    const whole = readFileSync(log, "utf8");
    appendFileSync(log, '{"kind":"job","id":"x","val');
    await withMock({ state }, async (client) => {
      assert.equal((await client.json("GET", `/batches/${id}`)).status, "completed");
      assert.equal((await client.ledger()).jobs.length, 1);
    });
    assert.ok(readFileSync(log, "utf8").startsWith(whole.slice(0, -1)));
    writeFileSync(log, "something else\n");
    await assert.rejects(
      startMockServer({ batch: { state } }),
      /batches\.jsonl, line 1: this is no state of a mock server/,
    );
    assert.equal(readFileSync(log, "utf8"), "something else\n");
  }));

Deno.test("two mocks cannot use one state folder", () =>
  withState((state) =>
    withMock({ state }, () =>
      assert.rejects(
        startMockServer({ batch: { state } }),
        /another mock server uses the state folder/,
      ))
  ));

Deno.test("with several keys, each has its own files and jobs", async () => {
  await using server = await startMockServer({ apiKey: ["key-one", "key-two"] });
  const client = new BatchClient(server.baseUrl.replace("/v1", ""));
  const as = async (key: string, method: string, path: string, body?: unknown) => {
    const response = await client.send(method, path, body, { authorization: `Bearer ${key}` });
    return { status: response.status, body: await response.json() };
  };
  const form = new FormData();
  form.append("purpose", "batch");
  form.append("file", new Blob([inputLines(["a"])]), "in.jsonl");
  const headers = { authorization: "Bearer key-one" };
  const upload = await fetch(`${client.base}/files`, { method: "POST", body: form, headers });
  const create = {
    input_file_id: (await upload.json()).id,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  };
  assert.equal((await as("key-two", "POST", "/batches", create)).status, 400);
  const { body: { id } } = await as("key-one", "POST", "/batches", create);
  assert.equal((await as("key-two", "GET", `/batches/${id}`)).status, 404);
  assert.equal((await as("key-two", "GET", "/batches")).body.data.length, 0);
  assert.equal((await as("key-one", "GET", `/batches/${id}`)).status, 200);
  assert.equal((await as("key-three", "GET", `/batches/${id}`)).status, 401);
});
