/** The mock's OpenRouter batches: rows in the create, results in the batch and by page. */
import assert from "node:assert/strict";
import { type MockBatchOptions, startMockServer } from "../../../mod.ts";
import type { Json } from "../../../lib/json/json.ts";
import { advance, totals } from "./control.ts";

const MODEL = "openai/gpt-5-mini";
const HEAD = { endpoint: "/v1/chat/completions", model: MODEL };

interface Result {
  custom_id: string;
  response: { status_code: number; body: Json } | null;
  error: { code: string; message: string } | null;
}

function row(id: string, text: unknown, more: Json = {}) {
  return {
    custom_id: id,
    body: { model: MODEL, messages: [{ role: "user", content: text }], ...more },
  };
}

function rows(count: number) {
  return Array.from({ length: count }, (_, i) => row(`row-${i}`, `Question ${i}`));
}

function client(origin: string) {
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${origin}/openrouter/api/v1${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, json: await response.json() };
  };
  const ok = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await send(method, path, body);
    assert.ok(status < 300, JSON.stringify(json));
    return json;
  };
  return {
    send,
    ok,
    create: (requests: unknown[]) => ok("POST", "/batches", { ...HEAD, requests }),
    get: (id: string) => ok("GET", `/batches/${id}`),
    async results(id: string, limit: number): Promise<Result[]> {
      const all: Result[] = [];
      let cursor = "";
      do {
        const query = `limit=${limit}${cursor && `&cursor=${cursor}`}`;
        const page = await ok("GET", `/batches/${id}/results?${query}`);
        assert.equal(page.has_more, page.next_cursor !== null);
        all.push(...page.data);
        cursor = page.next_cursor ?? "";
      } while (cursor !== "");
      return all;
    },
  };
}

async function withMock(
  batch: MockBatchOptions,
  use: (api: ReturnType<typeof client>, origin: string) => Promise<void>,
) {
  await using server = await startMockServer({ batch });
  const origin = server.baseUrl.replace("/v1", "");
  await use(client(origin), origin);
}

/** The mock answers when results are read, so the times of two reads may differ. */
function withoutTimes(results: Result[]): unknown {
  return JSON.parse(JSON.stringify(results, (key, value) => key === "created" ? undefined : value));
}

Deno.test("results are in the batch and in pages, with their cost", () =>
  withMock({}, async (api, origin) => {
    const requests = [...rows(11), row("bad", "Hi", { temperature: "hot" })];
    const created = await api.send("POST", "/batches", { ...HEAD, requests });
    assert.equal(created.status, 202);
    assert.equal(created.json.results, null);
    const batch = await api.get(created.json.id);
    assert.equal(batch.status, "completed");
    assert.deepEqual(batch.request_counts, { total: 12, completed: 11, failed: 1 });
    assert.equal(batch.model, MODEL);
    const results = batch.results as Result[];
    assert.deepEqual(withoutTimes(await api.results(batch.id, 5)), withoutTimes(results));
    assert.notDeepEqual(results.map((row) => row.custom_id), requests.map((row) => row.custom_id));
    let cost = 0;
    for (const { custom_id, response, error } of results) {
      if (custom_id === "bad") {
        assert.equal(response, null);
        assert.match(error!.message, /temperature/);
        continue;
      }
      const single = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify(requests.find((row) => row.custom_id === custom_id)!.body),
      });
      assert.deepEqual(response!.body.choices, (await single.json()).choices);
      cost += (response!.body.usage as { cost: number }).cost;
    }
    assert.ok(Math.abs(batch.usage.cost - cost) < 1e-9);
    assert.ok(cost > 0);
  }));

Deno.test("`requests` has to be the last field", () =>
  withMock({}, async (api, origin) => {
    const wrong = await api.send("POST", "/batches", {
      endpoint: HEAD.endpoint,
      requests: rows(1),
      model: MODEL,
    });
    assert.equal(wrong.status, 400);
    assert.match(wrong.json.error.message, /last/);
    for (
      const body of [
        { ...HEAD },
        { ...HEAD, requests: [] },
        { ...HEAD, endpoint: "/v1/images", requests: rows(1) },
        { endpoint: HEAD.endpoint, requests: rows(1) },
        { ...HEAD, completion_window: "1h", requests: rows(1) },
      ]
    ) {
      assert.equal((await api.send("POST", "/batches", body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await totals(origin)).jobs, 0);
  }));

Deno.test("rows are validated after the create", () =>
  withMock({}, async (api) => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
    const bad: [unknown, RegExp][] = [
      [row("x".repeat(65), "Hi"), /requests\[1\]: custom_id must be/],
      [row("row-0", "Hi"), /used twice/],
      [row("a", "Hi", { model: "other" }), /differs/],
      [row("a", "Hi", { stream: true }), /streaming/],
      [row("a", [image]), /data URIs/],
      [{ custom_id: "a" }, /body/],
    ];
    for (const [second, message] of bad) {
      const { id } = await api.create([...rows(1), second]);
      const batch = await api.get(id);
      assert.equal(batch.status, "failed");
      assert.match(batch.error.message, message);
      assert.equal(batch.results, null);
      assert.equal((await api.send("GET", `/batches/${id}/results`)).status, 404);
    }
  }));

Deno.test("a batch can be deleted once it has ended, and not be cancelled", () =>
  withMock({ duration: 100 }, async (api, origin) => {
    const { id } = await api.create(rows(10));
    assert.equal((await api.get(id)).status, "validating");
    await advance(origin, 50);
    const running = await api.get(id);
    assert.deepEqual([running.status, running.usage], ["in_progress", null]);
    assert.deepEqual(running.request_counts, { total: 10, completed: 5, failed: 0 });
    assert.equal((await api.send("GET", `/batches/${id}/results`)).status, 400);
    assert.equal((await api.send("POST", `/batches/${id}/cancel`, {})).status, 404);
    assert.equal((await api.send("DELETE", `/batches/${id}`)).status, 409);
    await advance(origin, 51);
    assert.deepEqual(await api.ok("DELETE", `/batches/${id}`), {
      id,
      object: "batch",
      deleted: true,
    });
    assert.equal((await api.send("GET", `/batches/${id}`)).status, 404);
  }));

Deno.test("an expired batch has no results, and costs nothing", () =>
  withMock({ duration: 100, faults: ["expire=60%"] }, async (api, origin) => {
    const { id } = await api.create(rows(10));
    await advance(origin, 101);
    const batch = await api.get(id);
    assert.deepEqual([batch.status, batch.results], ["expired", null]);
    assert.equal((await totals(origin)).billed, 0);
  }));

Deno.test("lists page and filter, and a create may lose its answer", () =>
  withMock({ duration: 100, faults: ["create_commit_drop@1"] }, async (api, origin) => {
    await assert.rejects(api.create(rows(1)));
    await advance(origin, 200);
    const second = await api.create(rows(2));
    const third = await api.create(rows(3));
    const list = async (query: string) => {
      const page = await api.ok("GET", `/batches?${query}`);
      const counts = page.data.map((batch: { request_counts: { total: number } }) =>
        batch.request_counts.total
      );
      return [counts, page.has_more];
    };
    assert.deepEqual(await list("limit=2"), [[3, 2], true]);
    assert.deepEqual(await list(`limit=2&after=${second.id}`), [[1], false]);
    assert.deepEqual(await list("status=completed"), [[1], false]);
    assert.deepEqual(await list(`created_after=${third.created_at - 60}`), [[3, 2], false]);
    assert.equal((await api.send("GET", "/batches?status=finalizing")).status, 400);
  }));
