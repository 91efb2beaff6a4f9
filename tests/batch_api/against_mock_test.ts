/** The batch APIs against the mock: whole jobs, with the faults that real services show. */
import assert from "node:assert/strict";
import { type BatchApi, isFinal, type Job } from "../../lib/batch_api/batch_api.ts";
import type { BatchHttp } from "../../lib/batch_api/batch_http.ts";
import { createBatchHttp } from "../../lib/batch_api/http.ts";
import { batchApiOf } from "../../lib/batch_api/registry.ts";
import { FlexLLMError } from "../../lib/flexllm_error.ts";
import { HttpError } from "../../lib/http_errors.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import { defaultFetch } from "../../lib/transport/default_fetch.ts";
import { service } from "../../lib/services/services.ts";
import type { ServiceName } from "../../lib/services/service_table.ts";
import { type MockBatchOptions, startMockServer } from "../../mod.ts";
import { advance, totals } from "../mock/batch/control.ts";
import { allResults, jobInput, NONCE, rowId } from "./scripted_api.ts";

const HOUR = 3600;

interface Provider {
  name: "anthropic" | "gemini" | "xai" | "openrouter" | "fireworks";
  format: string;
  base: string;
  path: string;
  model: string;
  service?: ServiceName;
  body(text: string, model: string): unknown;
}

const CHAT = {
  format: "chat",
  path: "/chat/completions",
  body: (content: string, model: string) => ({ model, messages: [{ role: "user", content }] }),
};

const PROVIDERS: Provider[] = [
  {
    name: "anthropic",
    format: "claude",
    base: "/anthropic/v1",
    path: "/messages",
    model: "claude-haiku-4-5",
    body: (content) => ({
      model: "claude-haiku-4-5",
      max_tokens: 100,
      messages: [{ role: "user", content }],
    }),
  },
  {
    name: "gemini",
    format: "gemini",
    base: "/gemini/v1beta",
    path: "/models/gemini-2.5-flash:generateContent",
    model: "gemini-2.5-flash",
    body: (text) => ({ contents: [{ role: "user", parts: [{ text }] }] }),
  },
  { ...CHAT, name: "xai", base: "/xai/v1", model: "grok-5", service: "xai" },
  {
    ...CHAT,
    name: "openrouter",
    base: "/openrouter/api/v1",
    model: "openai/gpt-5-mini",
    service: "openrouter",
  },
  {
    ...CHAT,
    name: "fireworks",
    base: "/fireworks/inference/v1",
    model: "accounts/fireworks/models/qwen3-8b",
    service: "fireworks",
  },
];

interface Session extends AsyncDisposable {
  origin: string;
  api: BatchApi;
  http: BatchHttp;
  input(rows: number): ReturnType<typeof jobInput>;
  /** Uploads the input if the API needs that, and creates and fills the job. */
  submit(input: ReturnType<typeof jobInput>): Promise<Job>;
}

async function start(provider: Provider, batch: MockBatchOptions): Promise<Session> {
  const mock = await startMockServer({ port: 0, seed: 7, batch });
  const { origin } = new URL(mock.baseUrl);
  const protocol = protocolNamed(provider.format)!;
  const endpoint = {
    baseUrl: origin + provider.base,
    apiKey: "sk-test",
    headers: {},
    service: provider.service && service(provider.service),
  };
  const api = batchApiOf(endpoint, protocol)!;
  assert.equal(api.name, provider.name);
  const http = createBatchHttp(endpoint, defaultFetch, { protocol, timeout: 20 });
  const { model, path, body } = provider;
  return {
    origin,
    api,
    http,
    input: (rows) => {
      const bodies = Array.from(
        { length: rows },
        (_, n) => JSON.stringify(body(`Question ${n}`, model)),
      );
      return jobInput(api, { bodies, model, path, chunk: 4096 });
    },
    async submit(input) {
      const isUploaded = api.upload !== undefined && (api.needsUpload?.(input) ?? true);
      input.uploaded = isUploaded ? await api.upload?.(http, input) : undefined;
      const job = await api.create(http, input);
      await api.fill?.(http, job, input);
      return job;
    },
    [Symbol.asyncDispose]: async () => await mock[Symbol.asyncDispose](),
  };
}

/** Lets a day pass and reads the job, which must have ended. */
async function ended({ origin, api, http }: Session, id: string): Promise<Job> {
  await advance(origin, 25 * HOUR);
  const job = await api.get(http, id);
  assert.ok(isFinal(job.status), job.status);
  return job;
}

const ids = (count: number) => Array.from({ length: count }, (_, index) => rowId(index));

for (const provider of PROVIDERS) {
  // Gemini only takes 100 rows without a file.
  for (const rows of provider.name === "gemini" ? [7, 130] : [130]) {
    Deno.test(`${provider.name}: a job of ${rows} rows is answered, once`, async () => {
      await using session = await start(provider, { duration: HOUR, faults: ["row_errors=2"] });
      const { api, http } = session;
      const job = await session.submit(session.input(rows));
      assert.ok(!isFinal((await api.get(http, job.id)).status));
      const done = await ended(session, job.id);
      assert.equal(done.status, "completed");
      const results = await allResults(api, http, done);
      assert.deepEqual(results.map(({ id }) => id).sort(), ids(rows).sort());
      assert.equal(results.filter(({ kind }) => kind === "answer").length, rows - 2);
      assert.equal(results.filter(({ kind }) => kind === "error").length, 2);
      assert.equal((await totals(session.origin)).jobs, 1);
    });
  }

  Deno.test(`${provider.name}: answers with line separators stay whole`, async () => {
    await using session = await start(provider, { duration: HOUR, faults: ["line_separators"] });
    const job = await session.submit(session.input(5));
    const results = await allResults(session.api, session.http, await ended(session, job.id));
    assert.equal(results.filter(({ kind }) => kind === "answer").length, 5);
    assert.match(JSON.stringify(results), /[\u2028\u2029]/);
  });

  Deno.test(`${provider.name}: a job whose create had no answer is found`, async () => {
    const faults = ["create_commit_drop@1", "list_page=1"];
    await using session = await start(provider, { duration: HOUR, faults });
    const { api, http } = session;
    const input = session.input(3);
    await assert.rejects(session.submit(input));
    const found = await api.find(http, input, Date.now() - 10_000);
    assert.equal(found.length, 1);
    if (api.foundBy !== "nothing") assert.equal(found[0].nonce, NONCE);
    await api.fill?.(http, found[0], input);
    const results = await allResults(api, http, await ended(session, found[0].id));
    assert.deepEqual(results.map(({ id }) => id).sort(), ids(3));
    assert.equal((await totals(session.origin)).jobs, 1);
  });

  Deno.test(`${provider.name}: nothing is found if the create was never received`, async () => {
    await using session = await start(provider, { duration: HOUR, faults: ["create_drop@1"] });
    const input = session.input(3);
    await assert.rejects(session.submit(input));
    assert.deepEqual(await session.api.find(session.http, input, Date.now() - 10_000), []);
    // And it can be created again.
    const job = await session.submit(input);
    assert.equal((await ended(session, job.id)).status, "completed");
  });

  const kept = ["gemini", "openrouter"].includes(provider.name) ? 0 : 5;
  Deno.test(`${provider.name}: of an expired job with 5 answers, ${kept} can be read`, async () => {
    await using session = await start(provider, { duration: HOUR, faults: ["expire=50%"] });
    const job = await session.submit(session.input(10));
    await advance(session.origin, 31 * 24 * HOUR);
    const expired = await session.api.get(session.http, job.id);
    assert.equal(expired.status, "expired");
    const results = await allResults(session.api, session.http, expired);
    assert.equal(results.filter(({ kind }) => kind === "answer").length, kept);
    for (const row of results) {
      if (row.kind !== "answer") assert.deepEqual([row.kind], ["not_run"]);
    }
  });

  Deno.test(`${provider.name}: a download that breaks off is an error, and can be repeated`, async () => {
    await using session = await start(provider, { duration: HOUR, faults: ["cut_download@1"] });
    const { api, http } = session;
    const job = await session.submit(session.input(120));
    const done = await ended(session, job.id);
    await assert.rejects(allResults(api, http, done), FlexLLMError);
    assert.equal((await allResults(api, http, done)).length, 120);
  });

  Deno.test(`${provider.name}: a poll that fails is an error, and can be repeated`, async () => {
    const faults = ["poll_502@1", "hidden=60"];
    await using session = await start(provider, { duration: HOUR, faults });
    const { api, http } = session;
    const input = session.input(3);
    input.uploaded = await api.upload?.(http, input);
    const job = await api.create(http, input);
    const isStatus = (status: number) => (error: unknown) =>
      error instanceof HttpError && error.status === status;
    await assert.rejects(api.get(http, job.id), isStatus(502));
    await assert.rejects(api.get(http, job.id), isStatus(404));
    await advance(session.origin, 61);
    assert.equal((await api.get(http, job.id)).id, job.id);
  });

  Deno.test(`${provider.name}: a job can be cancelled, if the API can`, async () => {
    await using session = await start(provider, { duration: 10 * HOUR });
    const { api, http } = session;
    const job = await session.submit(session.input(10));
    if (api.cancel === undefined) return;
    await advance(session.origin, 5 * HOUR);
    await api.cancel(http, job.id);
    const cancelled = await ended(session, job.id);
    assert.equal(cancelled.status, "cancelled");
    const results = await allResults(api, http, cancelled);
    assert.ok(results.length <= 10);
    // Once it has ended, cancelling it again is fine.
    await api.cancel(http, job.id);
  });

  Deno.test(`${provider.name}: a collected job is cleaned up, also twice`, async () => {
    await using session = await start(provider, { duration: HOUR });
    const { api, http } = session;
    const input = session.input(120);
    const job = await session.submit(input);
    const done = await ended(session, job.id);
    await allResults(api, http, done);
    await api.clean?.(http, done, input.uploaded);
    await api.clean?.(http, done, input.uploaded);
  });
}
