/** The mock's Message Batches API, driven by the unmodified package of Anthropic. */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { type MockBatchOptions, startMockServer } from "../../../mod.ts";
import { advance } from "./control.ts";

const MODEL = "claude-opus-5";

/** A request as a row. */
function row(id: string, text: string, more: object = {}) {
  const messages = [{ role: "user" as const, content: text }];
  return { custom_id: id, params: { model: MODEL, max_tokens: 1000, messages, ...more } };
}

function rows(count: number) {
  return Array.from({ length: count }, (_, i) => row(`row-${i}`, `Question ${i}`));
}

async function withMock(
  batch: MockBatchOptions,
  use: (sdk: Anthropic, base: string) => Promise<void>,
) {
  await using server = await startMockServer({ batch });
  const base = server.baseUrl.replace("/v1", "");
  await use(new Anthropic({ baseURL: base, apiKey: "none", maxRetries: 0 }), base);
}

async function resultsOf(sdk: Anthropic, id: string) {
  const results = new Map<string, Anthropic.Messages.MessageBatchResult>();
  const ids: string[] = [];
  for await (const { custom_id, result } of await sdk.messages.batches.results(id)) {
    ids.push(custom_id);
    results.set(custom_id, result);
  }
  return { ids, results };
}

Deno.test("a batch has the answers of single requests, in another order", () =>
  withMock({}, async (sdk, base) => {
    const requests = rows(12);
    const { id } = await sdk.messages.batches.create({ requests });
    const batch = await sdk.messages.batches.retrieve(id);
    assert.equal(batch.processing_status, "ended");
    assert.equal(batch.results_url, `${base}/v1/messages/batches/${id}/results`);
    assert.deepEqual(batch.request_counts, {
      processing: 0,
      succeeded: 12,
      errored: 0,
      canceled: 0,
      expired: 0,
    });
    const { ids, results } = await resultsOf(sdk, id);
    const sent = requests.map(({ custom_id }) => custom_id);
    assert.notDeepEqual(ids, sent);
    assert.deepEqual(ids.toSorted(), sent.toSorted());
    for (const { custom_id, params } of requests) {
      const result = results.get(custom_id)!;
      const single = await sdk.messages.create(params);
      assert.ok(result.type === "succeeded");
      assert.deepEqual(result.message.content, single.content);
      assert.equal(result.message.usage.output_tokens, single.usage.output_tokens);
      assert.equal(result.message.usage.service_tier, "batch");
    }
  }));

Deno.test("until the end, only the number of processing rows is reported", () =>
  withMock({ duration: 100 }, async (sdk, base) => {
    const created = await sdk.messages.batches.create({ requests: rows(10) });
    await advance(base, 50);
    const running = await sdk.messages.batches.retrieve(created.id);
    assert.equal(running.processing_status, "in_progress");
    assert.equal(running.results_url, null);
    assert.equal(running.request_counts.processing, 10);
    assert.equal(running.request_counts.succeeded, 0);
    const hours = (Date.parse(running.expires_at) - Date.parse(running.created_at)) / 3_600_000;
    assert.equal(hours, 24);
    await assert.rejects(sdk.messages.batches.results(created.id), /No batch `results_url`/);
    await assert.rejects(sdk.messages.batches.delete(created.id), { status: 400 });
    await advance(base, 60);
    assert.equal((await sdk.messages.batches.retrieve(created.id)).request_counts.succeeded, 10);
    const deleted = await sdk.beta.messages.batches.delete(created.id);
    assert.equal(deleted.type, "message_batch_deleted");
    await assert.rejects(sdk.messages.batches.retrieve(created.id), { status: 404 });
  }));

Deno.test("a canceled batch ends, with the rows that were done", () =>
  withMock({ duration: 100 }, async (sdk, base) => {
    const { id } = await sdk.messages.batches.create({ requests: rows(10) });
    await advance(base, 50);
    const canceling = await sdk.messages.batches.cancel(id);
    assert.equal(canceling.processing_status, "canceling");
    assert.ok(canceling.cancel_initiated_at !== null);
    await advance(base, 20);
    const { processing_status, request_counts } = await sdk.messages.batches.retrieve(id);
    assert.equal(processing_status, "ended");
    assert.equal(request_counts.succeeded, 5);
    assert.equal(request_counts.canceled, 5);
    const types = [...(await resultsOf(sdk, id)).results.values()].map(({ type }) => type);
    assert.deepEqual(types.toSorted(), [
      ...Array(5).fill("canceled"),
      ...Array(5).fill("succeeded"),
    ]);
    await assert.rejects(sdk.messages.batches.cancel(id), { status: 400 });
  }));

Deno.test("an expired batch has the rows that were done", () =>
  withMock({ duration: 100, faults: ["expire=30%"] }, async (sdk, base) => {
    const { id } = await sdk.messages.batches.create({ requests: rows(10) });
    await advance(base, 100);
    const { request_counts } = await sdk.messages.batches.retrieve(id);
    assert.deepEqual([request_counts.succeeded, request_counts.expired], [3, 7]);
    const { results } = await resultsOf(sdk, id);
    assert.equal([...results.values()].filter(({ type }) => type === "expired").length, 7);
  }));

Deno.test("parameters of rows are checked when they run, and ids at once", () =>
  withMock({}, async (sdk) => {
    const { id } = await sdk.messages.batches.create({
      requests: [
        row("good", "Hello"),
        row("hot", "Hello", { temperature: 7 }),
        row("streamed", "Hello", { stream: true }),
        row("empty", "Hello", { max_tokens: 0 }),
      ],
    });
    const { results } = await resultsOf(sdk, id);
    assert.equal(results.get("good")!.type, "succeeded");
    for (const name of ["hot", "streamed", "empty"]) {
      const result = results.get(name)!;
      assert.ok(result.type === "errored", name);
      assert.equal(result.error.type, "error");
      assert.equal(result.error.error.type, "invalid_request_error");
    }
    const bad = [
      [row("a.b", "Hello"), /requests\.1\.custom_id: String should match pattern/],
      [row("x".repeat(65), "Hello"), /requests\.1\.custom_id: String should match pattern/],
      [row("good", "Hello"), /requests\.1\.custom_id: .*not unique/],
      [{ custom_id: "b" }, /requests\.1\.params: Field required/],
      [{ ...row("b", "Hello"), url: "/v1" }, /requests\.1\.url: Extra inputs/],
    ] as const;
    for (const [second, message] of bad) {
      const requests = [row("good", "Hello"), second as ReturnType<typeof row>];
      await assert.rejects(sdk.messages.batches.create({ requests }), { status: 400, message });
    }
    await assert.rejects(sdk.messages.batches.create({ requests: [] }), { status: 400 });
    const all = await sdk.messages.batches.list();
    assert.equal(all.data.length, 1);
  }));

Deno.test("lists page in both directions, the newest first", () =>
  withMock({}, async (sdk) => {
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) {
      ids.unshift((await sdk.messages.batches.create({ requests: rows(1) })).id);
    }
    const listed: string[] = [];
    for await (const { id } of sdk.messages.batches.list({ limit: 2 })) listed.push(id);
    assert.deepEqual(listed, ids);
    const before = await sdk.messages.batches.list({ limit: 2, before_id: ids[3] });
    assert.deepEqual(before.data.map(({ id }) => id), ids.slice(1, 3));
    assert.equal(before.has_more, true);
    const last = await sdk.messages.batches.list({ after_id: ids[3] });
    assert.deepEqual(last.data.map(({ id }) => id), ids.slice(4));
    assert.equal(last.has_more, false);
    await assert.rejects(sdk.messages.batches.list({ after_id: "msgbatch_x" }), { status: 400 });
  }));

Deno.test("a create may commit and lose its answer", () =>
  withMock(
    { faults: ["create_drop@1", "create_commit_drop@1", "create_commit_500@1"] },
    async (sdk) => {
      const create = () => sdk.messages.batches.create({ requests: rows(3) });
      const count = async () => (await sdk.messages.batches.list()).data.length;
      await assert.rejects(create());
      assert.equal(await count(), 0);
      await assert.rejects(create());
      assert.equal(await count(), 1);
      await assert.rejects(create(), { status: 500 });
      assert.equal(await count(), 2);
      await create();
      assert.equal(await count(), 3);
    },
  ));

Deno.test("faults hit polls, downloads, lists and rows", () =>
  withMock({
    faults: [
      "poll_502@1",
      "cut_download@1",
      "list_page=1",
      "missing_rows=1@1",
      "double_rows=1@2-2",
      "swapped_rows=1@3-3",
      "line_separators@4-4",
      "hidden=5s@5-5",
      "unlisted=5s@5-5",
    ],
  }, async (sdk, base) => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await sdk.messages.batches.create({ requests: rows(8) })).id);
    }
    await assert.rejects(sdk.messages.batches.retrieve(ids[0]), { status: 502 });
    await assert.rejects(resultsOf(sdk, ids[0]));
    assert.equal((await resultsOf(sdk, ids[0])).ids.length, 7);
    const twice = await resultsOf(sdk, ids[1]);
    assert.deepEqual([twice.ids.length, twice.results.size], [9, 8]);
    const single = await sdk.messages.create(row("", "Question 0").params);
    const right = (results: Map<string, Anthropic.Messages.MessageBatchResult>) =>
      rows(8).map(({ params }) => params.messages[0].content).filter((text, i) => {
        const result = results.get(`row-${i}`);
        const [block] = result?.type === "succeeded" ? result.message.content : [];
        return JSON.stringify(block).includes(text);
      }).length;
    assert.match(JSON.stringify(single.content), /Question 0/);
    assert.equal(right(twice.results), 8);
    assert.equal(right((await resultsOf(sdk, ids[2])).results), 6);
    const separated = [...(await resultsOf(sdk, ids[3])).results.values()];
    assert.ok(separated.every((result) => /\u2028/.test(JSON.stringify(result))));
    await assert.rejects(sdk.messages.batches.retrieve(ids[4]), { status: 404 });
    const list = await sdk.messages.batches.list();
    assert.deepEqual(list.data.map(({ id }) => id), [ids[3]]);
    assert.equal(list.has_more, true);
    await advance(base, 6);
    assert.equal((await sdk.messages.batches.retrieve(ids[4])).id, ids[4]);
  }));

Deno.test("a full queue refuses a create, and creates nothing", () =>
  withMock({ duration: 100, queuedTokens: 100 }, async (sdk, base) => {
    const { id } = await sdk.messages.batches.create({ requests: rows(2) });
    await assert.rejects(sdk.messages.batches.create({ requests: rows(10) }), { status: 429 });
    assert.deepEqual((await sdk.messages.batches.list()).data.map((job) => job.id), [id]);
    await advance(base, 101);
    await sdk.messages.batches.create({ requests: rows(2) });
  }));
