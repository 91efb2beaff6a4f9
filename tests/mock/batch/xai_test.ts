/** The mock's xAI batches: a container with counters, filled with rows. */
import assert from "node:assert/strict";
import { type MockBatchOptions, startMockServer } from "../../../mod.ts";
import type { Json } from "../../../lib/json/json.ts";
import { advance, totals } from "./control.ts";

interface State {
  num_requests: number;
  num_pending: number;
  num_success: number;
  num_error: number;
  num_cancelled: number;
}

interface Batch {
  batch_id: string;
  name: string;
  cancel_time: string | null;
  cancel_by_xai_message: string | null;
  state: State;
}

function chatRow(id: string, text: string, more: Json = {}) {
  const body = { model: "grok-5", messages: [{ role: "user", content: text }], ...more };
  return { batch_request_id: id, batch_request: { chat_get_completion: body } };
}

function rows(count: number, from = 0) {
  return Array.from(
    { length: count },
    (_, i) => chatRow(`row-${from + i}`, `Question ${from + i}`),
  );
}

function client(origin: string) {
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${origin}/xai/v1${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, json: await response.json() };
  };
  const ok = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await send(method, path, body);
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  return {
    send,
    ok,
    create: (name = "label"): Promise<Batch> => ok("POST", "/batches", { name }),
    add: (id: string, batch_requests: unknown[]) =>
      ok("POST", `/batches/${id}/requests`, { batch_requests }),
    get: (id: string): Promise<Batch> => ok("GET", `/batches/${id}`),
    async results(id: string, limit = 100): Promise<Map<string, Json>> {
      const found = new Map<string, Json>();
      let token = "";
      do {
        const query = `limit=${limit}${token && `&pagination_token=${token}`}`;
        const page = await ok("GET", `/batches/${id}/results?${query}`);
        assert.ok(page.results.length <= limit);
        for (const row of page.results) {
          assert.ok(!found.has(row.batch_request_id), row.batch_request_id);
          found.set(row.batch_request_id, row.batch_result);
        }
        token = page.pagination_token ?? "";
      } while (token !== "");
      return found;
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

function counts({ state }: Batch): number[] {
  const { num_requests, num_pending, num_success, num_error, num_cancelled } = state;
  return [num_requests, num_pending, num_success, num_error, num_cancelled];
}

/** The answer in a result. */
function chatOf(result: Json | undefined) {
  const { response } = result as { response: { chat_get_completion: Json } };
  return response.chat_get_completion as {
    object: string;
    choices: { message: { content: string }; finish_reason: string }[];
    usage: { completion_tokens: number; cost_in_usd_ticks: number };
  };
}

Deno.test("rows are added in several calls, and adding them again changes nothing", () =>
  withMock({}, async (api, origin) => {
    const { batch_id, state } = await api.create();
    assert.equal(state.num_requests, 0);
    assert.equal(await api.add(batch_id, rows(3)), null);
    assert.equal(await api.add(batch_id, rows(4, 3)), null);
    assert.equal(await api.add(batch_id, rows(7)), null);
    assert.deepEqual(counts(await api.get(batch_id)), [7, 0, 7, 0, 0]);
    const other = [chatRow("row-2", "Something else")];
    const path = `/batches/${batch_id}/requests`;
    const { status } = await api.send("POST", path, { batch_requests: other });
    assert.equal(status, 412);
    assert.deepEqual(await totals(origin), { jobs: 1, rows: 7, billed: 7, billed_twice: 0 });
  }));

Deno.test("results come in pages, with the answers of single requests", () =>
  withMock({}, async (api, origin) => {
    const { batch_id } = await api.create();
    await api.add(batch_id, [...rows(11), chatRow("bad", "Hi", { temperature: "hot" })]);
    assert.deepEqual(counts(await api.get(batch_id)), [12, 0, 11, 1, 0]);
    const results = await api.results(batch_id, 5);
    assert.deepEqual([...results.keys()].toSorted(), [
      "bad",
      ...rows(11).map((row) => row.batch_request_id).toSorted(),
    ]);
    for (const { batch_request_id, batch_request } of rows(11)) {
      const response = await fetch(`${origin}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify(batch_request.chat_get_completion),
      });
      const chat = chatOf(results.get(batch_request_id));
      assert.deepEqual(chat.choices, (await response.json()).choices);
      assert.ok(chat.usage.cost_in_usd_ticks > 0);
    }
    assert.match(String(results.get("bad")!.error), /temperature/);
    // The mock server answers rows when they are read: `created` may differ by a second.
    const undated = (all: Map<string, unknown>) =>
      JSON.stringify([...all]).replace(/"created":\d+/g, "");
    assert.equal(undated(await api.results(batch_id)), undated(results));
  }));

Deno.test("rows of the Responses API have answers in the format of Chat Completions", () =>
  withMock({}, async (api) => {
    const { batch_id } = await api.create();
    const responses = { model: "grok-5", input: "Hello there" };
    await api.add(batch_id, [{ batch_request_id: "r", batch_request: { responses } }]);
    const chat = chatOf((await api.results(batch_id)).get("r"));
    assert.equal(chat.object, "chat.completion");
    assert.match(chat.choices[0].message.content, /Hello there/);
    assert.equal(chat.choices[0].finish_reason, "stop");
    assert.ok(chat.usage.completion_tokens > 0);
  }));

Deno.test("counters show the progress, and results can be read meanwhile", () =>
  withMock({ duration: 100 }, async (api, origin) => {
    const { batch_id } = await api.create();
    await api.add(batch_id, rows(10));
    await advance(origin, 50);
    assert.deepEqual(counts(await api.get(batch_id)), [10, 5, 5, 0, 0]);
    assert.equal((await api.results(batch_id, 2)).size, 5);
    const { cancel_time, state } = await api.ok("POST", `/batches/${batch_id}:cancel`, {});
    assert.ok(cancel_time !== null);
    assert.equal(state.num_cancelled, 5);
    await advance(origin, 100);
    assert.deepEqual(counts(await api.get(batch_id)), [10, 0, 5, 0, 5]);
    assert.equal((await api.results(batch_id)).size, 5);
    const { status } = await api.send("POST", `/batches/${batch_id}/requests`, {
      batch_requests: rows(1, 50),
    });
    assert.equal(status, 400);
  }));

Deno.test("a cancelled batch may be done after all", () =>
  withMock({ duration: 100, faults: ["uncancel=20s"] }, async (api, origin) => {
    const { batch_id } = await api.create();
    await api.add(batch_id, rows(10));
    await advance(origin, 50);
    await api.ok("POST", `/batches/${batch_id}:cancel`, {});
    await advance(origin, 15);
    assert.deepEqual(counts(await api.get(batch_id)), [10, 0, 5, 0, 5]);
    await advance(origin, 6);
    const batch = await api.get(batch_id);
    assert.deepEqual(counts(batch), [10, 0, 10, 0, 0]);
    assert.ok(batch.cancel_time !== null);
    assert.equal((await api.results(batch_id)).size, 10);
    assert.equal((await totals(origin)).billed, 10);
  }));

Deno.test("a row may stay pending, and xAI may cancel a batch by itself", () =>
  withMock({ faults: ["stuck=80%@1", "token_limit@2-2"] }, async (api) => {
    const stuck = await api.create();
    await api.add(stuck.batch_id, rows(10));
    assert.deepEqual(counts(await api.get(stuck.batch_id)), [10, 2, 8, 0, 0]);
    const refused = await api.create();
    await api.add(refused.batch_id, rows(10));
    const batch = await api.get(refused.batch_id);
    assert.match(batch.cancel_by_xai_message!, /token limit/);
    assert.deepEqual(counts(batch), [10, 0, 0, 0, 10]);
  }));

Deno.test("batches are listed by page with their names, and times are the mock's", () =>
  withMock({ faults: ["list_page=1", "create_commit_drop@1"] }, async (api, origin) => {
    await assert.rejects(api.create("dropped"));
    await api.create("second");
    await advance(origin, 7200);
    const names: string[] = [];
    let token: string | null = "0";
    while (token !== null) {
      const page = await api.send("GET", `/batches?limit=100&pagination_token=${token}`);
      for (const { name } of page.json.batches) names.push(name);
      token = page.json.pagination_token;
      const skew = Date.parse(page.headers.get("date")!) - Date.now();
      assert.ok(Math.abs(skew - 7_200_000) < 60_000, `${skew}`);
    }
    assert.deepEqual(names, ["second", "dropped"]);
    assert.equal((await api.send("GET", "/batches/batch_x")).status, 404);
  }));

Deno.test("rows that cannot be stored are refused", () =>
  withMock({}, async (api) => {
    const { batch_id } = await api.create();
    for (
      const bad of [
        { batch_request: { chat_get_completion: {} } },
        { batch_request_id: "a", batch_request: { images: {} } },
        { batch_request_id: "a" },
        null,
      ]
    ) {
      const { status } = await api.send("POST", `/batches/${batch_id}/requests`, {
        batch_requests: [...rows(1), bad],
      });
      assert.equal(status, 400);
    }
    assert.equal((await api.get(batch_id)).state.num_requests, 0);
    assert.equal((await api.send("POST", "/batches", {})).status, 400);
  }));
