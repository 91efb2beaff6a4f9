/** The unmodified packages of OpenAI, Groq, Together and Mistral run batches against the mock. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Mistral } from "@mistralai/mistralai";
import Groq from "groq-sdk";
import OpenAI, { AzureOpenAI, toFile } from "openai";
import { startMockServer } from "../../../mod.ts";
import { BatchClient, inputLines, parseLines, prompts } from "../../support/batch_mock.ts";

const INPUT = inputLines(prompts(5));
const CREATE = { endpoint: "/v1/chat/completions", completion_window: "24h" } as const;
const ALL = ["r0", "r1", "r2", "r3", "r4"];

function input() {
  return toFile(new TextEncoder().encode(INPUT), "in.jsonl");
}

function ids(text: string): string[] {
  return parseLines(text).map(({ custom_id }) => custom_id);
}

Deno.test("openai: upload, create, retrieve, list, content, delete", async () => {
  await using server = await startMockServer();
  const sdk = new OpenAI({ baseURL: server.baseUrl, apiKey: "none", maxRetries: 0 });
  const file = await sdk.files.create({ file: await input(), purpose: "batch" });
  assert.deepEqual([file.bytes, file.filename], [INPUT.length, "in.jsonl"]);
  assert.equal(await (await sdk.files.content(file.id)).text(), INPUT);
  const metadata = { part: "p1" };
  const created = await sdk.batches.create({ ...CREATE, input_file_id: file.id, metadata });
  const batch = await sdk.batches.retrieve(created.id);
  assert.deepEqual([batch.status, batch.metadata, batch.errors], ["completed", metadata, null]);
  assert.deepEqual(batch.request_counts, { total: 5, completed: 5, failed: 0 });
  assert.equal(batch.error_file_id, null);
  assert.ok(batch.usage!.output_tokens > 0);
  const text = await (await sdk.files.content(batch.output_file_id!)).text();
  assert.equal((await sdk.files.retrieve(batch.output_file_id!)).bytes, text.length);
  assert.deepEqual(ids(text).sort(), ALL);
  assert.notDeepEqual(ids(text), ALL);
  for (const { custom_id, response } of parseLines(text)) {
    const content = `Question ${custom_id.slice(1)}`;
    const live = await sdk.chat.completions.create({
      model: "any",
      messages: [{ role: "user", content }],
    });
    assert.deepEqual(response.body.choices, live.choices);
    assert.deepEqual(response.body.usage, live.usage);
  }
  const listed: string[] = [];
  for await (const { id } of sdk.batches.list({ limit: 1 })) listed.push(id);
  assert.deepEqual(listed, [created.id]);
  assert.equal((await sdk.files.delete(file.id)).deleted, true);
  await assert.rejects(sdk.files.retrieve(file.id), { status: 404 });
});

Deno.test("openai: a batch of responses and one of embeddings", async () => {
  await using server = await startMockServer();
  const sdk = new OpenAI({ baseURL: server.baseUrl, apiKey: "none", maxRetries: 0 });
  for (const endpoint of ["/v1/responses", "/v1/embeddings"] as const) {
    const body = { model: "any", input: "Hello" };
    const line = JSON.stringify({ custom_id: "r0", method: "POST", url: endpoint, body });
    const bytes = new TextEncoder().encode(line);
    const file = await sdk.files.create({ file: await toFile(bytes, "a"), purpose: "batch" });
    const request = { endpoint, completion_window: "24h", input_file_id: file.id } as const;
    const { id } = await sdk.batches.create(request);
    const { output_file_id } = await sdk.batches.retrieve(id);
    const [{ response }] = parseLines(await (await sdk.files.content(output_file_id!)).text());
    assert.equal(response.status_code, 200);
    assert.equal(response.body.object, endpoint === "/v1/responses" ? "response" : "list");
  }
});

Deno.test("openai: a batch is cancelled, and its rest was not run", async () => {
  await using server = await startMockServer({ batch: { duration: 1000 } });
  const sdk = new OpenAI({ baseURL: server.baseUrl, apiKey: "none", maxRetries: 0 });
  const file = await sdk.files.create({ file: await input(), purpose: "batch" });
  const { id } = await sdk.batches.create({ ...CREATE, input_file_id: file.id });
  const client = new BatchClient(server.baseUrl.replace("/v1", ""));
  assert.equal((await sdk.batches.retrieve(id)).status, "validating");
  await client.advance(500);
  assert.equal((await sdk.batches.retrieve(id)).status, "in_progress");
  assert.equal((await sdk.batches.cancel(id)).status, "cancelling");
  await client.advance(200);
  const batch = await sdk.batches.retrieve(id);
  assert.equal(batch.status, "cancelled");
  const done = ids(await (await sdk.files.content(batch.output_file_id!)).text());
  const rest = parseLines(await (await sdk.files.content(batch.error_file_id!)).text());
  assert.deepEqual([done.length, rest.length], [2, 3]);
  assert.deepEqual([...done, ...rest.map(({ custom_id }) => custom_id)].sort(), ALL);
  assert.deepEqual([rest[0].response, rest[0].error.code], [null, "batch_cancelled"]);
  await assert.rejects(sdk.batches.cancel(id), { status: 409 });
});

Deno.test("openai: Azure's package runs a batch", async () => {
  await using server = await startMockServer();
  const endpoint = server.baseUrl.replace("/v1", "");
  const sdk = new AzureOpenAI({ endpoint, apiKey: "none", apiVersion: "2025-04-01-preview" });
  const file = await sdk.files.create({ file: await input(), purpose: "batch" });
  const created = await sdk.batches.create({
    input_file_id: file.id,
    endpoint: "/chat/completions" as "/v1/chat/completions",
    completion_window: "24h",
  });
  const batch = await sdk.batches.retrieve(created.id);
  assert.equal(batch.status, "completed");
  assert.equal(ids(await (await sdk.files.content(batch.output_file_id!)).text()).length, 5);
  // A batch without errors has an empty file of errors.
  assert.equal(await (await sdk.files.content(batch.error_file_id!)).text(), "");
});

Deno.test("groq-sdk: a batch with several models, lists and cancellation", async () => {
  await using server = await startMockServer({ batch: { duration: 1000 } });
  const origin = server.baseUrl.replace("/v1", "");
  const sdk = new Groq({ baseURL: `${origin}/groq`, apiKey: "none", maxRetries: 0 });
  const text = inputLines(["a"], "one") + inputLines(["b"], "two").replace("r0", "r1");
  const file = await sdk.files.create({
    file: await toFile(new TextEncoder().encode(text), "in.jsonl"),
    purpose: "batch",
  });
  const create = { ...CREATE, completion_window: "7d", input_file_id: file.id! } as const;
  const created = await sdk.batches.create(create);
  const other = await sdk.batches.create(create);
  assert.equal(created.expires_at! - created.created_at, 7 * 86_400);
  assert.deepEqual((await sdk.batches.list()).data.map(({ id }) => id), [other.id, created.id]);
  const client = new BatchClient(origin, "/groq/openai");
  const page = await client.json("GET", "/batches?limit=1");
  const next = await client.json("GET", `/batches?limit=1&cursor=${page.paging.next_cursor}`);
  assert.deepEqual([next.data[0].id, next.paging], [created.id, {}]);
  const chosen = await client.json("GET", `/batches?id=${created.id}&id=unknown`);
  assert.deepEqual(chosen.data.map(({ id }: { id: string }) => id), [created.id]);
  assert.equal((await sdk.batches.cancel(other.id)).status, "cancelling");
  await client.advance(2000);
  const batch = await sdk.batches.retrieve(created.id);
  assert.equal(batch.status, "completed");
  const output = await sdk.files.content(batch.output_file_id!);
  assert.deepEqual(ids(await output.text()).sort(), ["r0", "r1"]);
  assert.equal((await sdk.files.delete(file.id!)).deleted, true);
});

Deno.test("together-ai: redirected upload, job, list, content and cancellation", async () => {
  await using server = await startMockServer({ apiKey: "key", batch: { duration: 1000 } });
  const origin = server.baseUrl.replace("/v1", "");
  // Its upload reads the base URL when the package is loaded.
  process.env.TOGETHER_API_BASE_URL = `${origin}/together/v1`;
  // Its ES module calls `require`, which modules lack.
  const globals = globalThis as { require?: unknown };
  globals.require = createRequire(import.meta.url);
  const { default: Together } = await import("together-ai");
  delete globals.require;
  delete process.env.TOGETHER_API_BASE_URL;
  const sdk = new Together({ baseURL: `${origin}/together/v1`, apiKey: "key", maxRetries: 0 });
  const folder = mkdtempSync(join(tmpdir(), "flexllm-test-"));
  try {
    const path = join(folder, "in.jsonl");
    writeFileSync(path, INPUT);
    const file = await sdk.files.upload(path, "batch-api", false);
    assert.equal((await sdk.files.retrieve(file.id)).bytes, INPUT.length);
    const request = { endpoint: "/v1/chat/completions", input_file_id: file.id } as const;
    const { job } = await sdk.batches.create(request);
    const { job: other } = await sdk.batches.create(request);
    assert.deepEqual([job!.status, job!.progress], ["VALIDATING", 0]);
    assert.deepEqual((await sdk.batches.list()).map(({ id }) => id), [other!.id, job!.id]);
    // The types of the package lack this status.
    assert.equal((await sdk.batches.cancel(other!.id!)).status as string, "CANCELING");
    await fetch(`${origin}/__mock/batches/clock`, {
      method: "POST",
      headers: { authorization: "Bearer key" },
      body: '{"advance":2000}',
    }).then((response) => response.text());
    const done = await sdk.batches.retrieve(job!.id!);
    assert.deepEqual([done.status, done.progress], ["COMPLETED", 100]);
    assert.equal((await sdk.batches.retrieve(other!.id!)).status, "CANCELLED");
    const output = await sdk.files.content(done.output_file_id!);
    assert.deepEqual(ids(await output.text()).sort(), ALL);
    assert.equal((await sdk.files.delete(file.id)).id, file.id);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

Deno.test("@mistralai/mistralai: jobs over a file and over inline rows", async () => {
  await using server = await startMockServer({ batch: { duration: 1000 } });
  const origin = server.baseUrl.replace("/v1", "");
  const sdk = new Mistral({ serverURL: origin, apiKey: "none" });
  const bodies = ALL.map((customId, i) => ({
    customId,
    body: { messages: [{ role: "user", content: `Question ${i}` }] },
  }));
  const lines = bodies.map(({ customId, body }) => JSON.stringify({ custom_id: customId, body }));
  const content = new TextEncoder().encode(lines.join("\n"));
  const file = await sdk.files.upload({
    file: { fileName: "in.jsonl", content },
    purpose: "batch",
  });
  const endpoint = "/v1/chat/completions" as const;
  const job = await sdk.batch.jobs.create({ endpoint, model: "any", inputFiles: [file.id] });
  const inline = await sdk.batch.jobs.create({
    endpoint,
    model: "any",
    requests: bodies,
    metadata: { nonce: "n1" },
  });
  assert.deepEqual([job.status, job.totalRequests, inline.inputFiles.length], ["QUEUED", 0, 1]);
  const found = await sdk.batch.jobs.list({ metadata: { nonce: "n1" } });
  assert.deepEqual(found.data!.map(({ id }) => id), [inline.id]);
  assert.equal((await sdk.batch.jobs.list({})).total, 2);
  await new BatchClient(origin).advance(500);
  assert.equal((await sdk.batch.jobs.get({ jobId: job.id })).status, "RUNNING");
  const cancelled = await sdk.batch.jobs.cancel({ jobId: inline.id });
  assert.equal(cancelled.status, "CANCELLATION_REQUESTED");
  await new BatchClient(origin).advance(1000);
  const done = await sdk.batch.jobs.get({ jobId: job.id, inline: true });
  assert.deepEqual([done.status, done.succeededRequests], ["SUCCESS", 5]);
  assert.deepEqual(done.outputs!.map(({ custom_id }) => custom_id).sort(), ALL);
  const stream = await sdk.files.download({ fileId: done.outputFile! });
  assert.deepEqual(ids(await new Response(stream).text()).sort(), ALL);
  assert.equal((await sdk.batch.jobs.get({ jobId: inline.id })).status, "CANCELLED");
  assert.equal((await sdk.files.delete({ fileId: file.id })).deleted, true);
});
