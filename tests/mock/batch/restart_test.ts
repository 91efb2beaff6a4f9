/** What the mock stores for APIs with state of their own survives a restart, and belongs to a key. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMockServer } from "../../../mod.ts";
import type { Json } from "../../../lib/json/json.ts";
import { totals } from "./control.ts";

type Send = (method: string, path: string, body?: Json | FormData) => Promise<Json>;

/** Starts a mock with the state of the one before, and returns what sends requests to it. */
async function restarted<T>(
  state: string,
  use: (send: Send, origin: string) => Promise<T>,
): Promise<T> {
  await using server = await startMockServer({ batch: { state } });
  const origin = server.baseUrl.replace("/v1", "");
  return await use(async (method, path, body) => {
    const response = await fetch(path.startsWith("http") ? path : `${origin}/${path}`, {
      method,
      body: body instanceof FormData || body === undefined ? body : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.status < 300, text);
    return text.includes("\n") ? { lines: text.trimEnd().split("\n") } : JSON.parse(text) ?? {};
  }, origin);
}

async function withState(use: (state: string) => Promise<void>): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "flexllm-test-"));
  try {
    await use(state);
  } finally {
    rmSync(state, { recursive: true });
  }
}

const messages = [{ role: "user", content: "Hello" }];

function xaiRows(from: number, to: number): Json[] {
  return Array.from({ length: to - from }, (_, i) => ({
    batch_request_id: `row-${from + i}`,
    batch_request: { chat_get_completion: { model: "m", messages, seed: from + i } },
  }));
}

Deno.test("xAI: rows are added before and after a restart", () =>
  withState(async (state) => {
    const id = await restarted(state, async (send) => {
      const { batch_id } = await send("POST", "xai/v1/batches", { name: "label" });
      return batch_id;
    });
    const add = (send: Send, batch_requests: Json[]) =>
      send("POST", `xai/v1/batches/${id}/requests`, { batch_requests });
    await restarted(state, (send) => add(send, xaiRows(0, 3)));
    await restarted(state, (send) => add(send, xaiRows(0, 5)));
    await restarted(state, async (send, origin) => {
      const first = await send("GET", `xai/v1/batches/${id}/results?limit=2`);
      assert.equal(first.pagination_token, "2");
      assert.deepEqual(await totals(origin), { jobs: 1, rows: 5, billed: 5, billed_twice: 0 });
    });
    await restarted(state, async (send) => {
      const rest = await send("GET", `xai/v1/batches/${id}/results?limit=9&pagination_token=2`);
      assert.equal((rest.results as Json[]).length, 3);
    });
  }));

Deno.test("Fireworks: datasets, jobs and signed URLs outlive the mock", () =>
  withState(async (state) => {
    const account = "fireworks/v1/accounts/mock";
    await restarted(state, async (send) => {
      const dataset = { exampleCount: "2" };
      await send("POST", `${account}/datasets`, { datasetId: "in", dataset });
    });
    await restarted(state, async (send) => {
      const form = new FormData();
      const line = (custom_id: string) => `${JSON.stringify({ custom_id, body: { messages } })}\n`;
      form.append("file", new Blob([line("a"), line("b")]), "in.jsonl");
      await send("POST", `${account}/datasets/in:upload`, form);
    });
    await restarted(
      state,
      (send) =>
        send("POST", `${account}/batchInferenceJobs?batchInferenceJobId=job`, {
          model: "m",
          inputDatasetId: "in",
          outputDatasetId: "out",
        }),
    );
    const url = await restarted(state, async (send) => {
      const { filenameToSignedUrls } = await send(
        "GET",
        `${account}/datasets/out:getDownloadEndpoint`,
      );
      const [first] = Object.values(filenameToSignedUrls as Record<string, string>);
      return new URL(first).pathname.slice(1);
    });
    await restarted(state, async (send) => {
      const { lines } = await send("GET", url);
      assert.equal((lines as string[]).length, 2);
    });
  }));

Deno.test("every key has its own jobs where the mock has several", async () => {
  await using server = await startMockServer({ apiKey: ["one", "two"] });
  const origin = server.baseUrl.replace("/v1", "");
  const send = async (key: string, method: string, path: string, body?: Json) => {
    const response = await fetch(`${origin}/${path}`, {
      method,
      headers: path.startsWith("v1beta")
        ? { "x-goog-api-key": key }
        : { authorization: `Bearer ${key}` },
      body: body && JSON.stringify(body),
    });
    return { status: response.status, json: await response.json() };
  };
  const params = { model: "claude-opus-5", max_tokens: 9, messages };
  const creates: [path: string, body: Json, id: string][] = [
    ["v1/messages/batches", { requests: [{ custom_id: "a", params }] }, "id"],
    ["xai/v1/batches", { name: "a" }, "batch_id"],
    [
      "openrouter/api/v1/batches",
      {
        endpoint: "/v1/chat/completions",
        model: "m",
        requests: [{ custom_id: "a", body: { messages } }],
      },
      "id",
    ],
  ];
  for (const [path, body, name] of creates) {
    const { json } = await send("one", "POST", path, body);
    const statuses = [];
    for (const key of ["one", "two", "three"]) {
      statuses.push((await send(key, "GET", `${path}/${json[name]}`)).status);
    }
    assert.deepEqual(statuses, [200, 404, 401], path);
  }
  const contents = [{ parts: [{ text: "Hello" }] }];
  const batch = { inputConfig: { requests: { requests: [{ request: { contents } }] } } };
  const path = "v1beta/models/gemini-3-flash:batchGenerateContent";
  const { json } = await send("one", "POST", path, { batch });
  assert.equal((await send("one", "GET", `v1beta/${json.name}`)).status, 200);
  assert.equal((await send("two", "GET", `v1beta/${json.name}`)).status, 404);
});
