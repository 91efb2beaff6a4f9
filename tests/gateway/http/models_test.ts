/** The lists of models in the shapes that clients expect. */
import assert from "node:assert/strict";
import { HttpGateway } from "../../support/http_gateway.ts";

const ENDPOINTS = [
  { model: "gpt-5-mini" },
  { model: "claude-haiku-4-5", baseUrl: "https://api.anthropic.com" },
  { model: "local/llama", baseUrl: "http://localhost:8000/v1" },
];
const OPTIONS = { routes: { "claude-opus-4": ["gpt-5-mini", "claude-haiku-4-5"] } };
const NAMES = ["gpt-5-mini", "claude-haiku-4-5", "local/llama", "claude-opus-4"];

Deno.test("lists routes and aliases in OpenAI's shape", async () => {
  await using gateway = new HttpGateway(OPTIONS, undefined, ENDPOINTS);
  for (const path of ["/v1/models", "/models"]) {
    const list = await (await gateway.send(path)).json();
    assert.equal(list.object, "list");
    assert.deepEqual(list.data.map(({ id }: { id: string }) => id), NAMES);
    assert(list.data.every(({ object }: { object: string }) => object === "model"));
  }
  assert.equal((await gateway.send("/v1/models", { method: "HEAD" })).status, 200);
  assert.equal(gateway.sent.length, 0);
});

Deno.test("lists models in Anthropic's shape, as Claude Code discovers them", async () => {
  await using gateway = new HttpGateway(OPTIONS, undefined, ENDPOINTS);
  const headers = { "anthropic-version": "2023-06-01" };
  const list = await (await gateway.send("/v1/models?limit=1000", { headers })).json();
  assert.deepEqual(
    [list.has_more, list.first_id, list.last_id],
    [false, "gpt-5-mini", "claude-opus-4"],
  );
  const haiku = list.data[1];
  assert.deepEqual([haiku.type, haiku.id, haiku.max_input_tokens], [
    "model",
    "claude-haiku-4-5",
    200_000,
  ]);
  assert.equal(list.data[2].max_input_tokens, null);
  // The smallest window of an alias's models.
  assert.equal(list.data[3].max_input_tokens, 200_000);
});

Deno.test("lists models page by page, as the query of each format asks for them", async () => {
  await using gateway = new HttpGateway(OPTIONS, undefined, ENDPOINTS);
  const headers = { "anthropic-version": "2023-06-01" };
  const page = async (query: string) => {
    const list = await (await gateway.send(`/v1/models?${query}`, { headers })).json();
    return [list.data.map(({ id }: { id: string }) => NAMES.indexOf(id)), list.has_more];
  };
  assert.deepEqual(await page("limit=3"), [[0, 1, 2], true]);
  assert.deepEqual(await page(`limit=3&after_id=${NAMES[2]}`), [[3], false]);
  assert.deepEqual(await page(`limit=2&before_id=${NAMES[3]}`), [[1, 2], true]);
  assert.deepEqual(await page(`limit=2&before_id=${NAMES[1]}`), [[0], false]);
  assert.deepEqual(await page(`after_id=${NAMES[3]}`), [[], false]);
  for (const query of ["limit=0", "limit=x", "limit=1.5", "after_id=gone"]) {
    const { status, error } = await gateway.error(`/v1/models?${query}`, { headers });
    assert.deepEqual([status, error.type], [400, "invalid_request_error"], query);
  }
  const seen: string[] = [];
  let token: string | undefined = "";
  for (let pages = 0; token !== undefined && pages < 9; pages++) {
    const path: string = `/v1beta/models?pageSize=3&pageToken=${encodeURIComponent(token)}`;
    const list = await (await gateway.send(path)).json();
    seen.push(...list.models.map(({ name }: { name: string }) => name.slice("models/".length)));
    token = list.nextPageToken;
  }
  assert.deepEqual(seen, NAMES);
  // OpenAI's list has no pages.
  assert.equal((await (await gateway.send("/v1/models?limit=1")).json()).data.length, 4);
});

Deno.test("lists models in Gemini's shape", async () => {
  await using gateway = new HttpGateway(OPTIONS, undefined, ENDPOINTS);
  const list = await (await gateway.send("/v1beta/models?pageSize=50")).json();
  assert.deepEqual(
    list.models.map(({ name }: { name: string }) => name),
    NAMES.map((name) => `models/${name}`),
  );
  assert.equal(list.models[1].inputTokenLimit, 200_000);
});

Deno.test("describes one model, and only those that there are", async () => {
  await using gateway = new HttpGateway(OPTIONS, undefined, ENDPOINTS);
  for (const id of ["local/llama", "local%2Fllama", "claude-opus-4"]) {
    const model = await (await gateway.send(`/v1/models/${id}`)).json();
    assert.equal(model.id, decodeURIComponent(id));
  }
  const gemini = await (await gateway.send("/v1beta/models/gpt-5-mini")).json();
  const headers = { "anthropic-version": "2023-06-01" };
  const claude = await (await gateway.send("/v1/models/gpt-5-mini", { headers })).json();
  assert.deepEqual([claude.type, claude.id], ["model", "gpt-5-mini"]);
  assert.equal(gemini.name, "models/gpt-5-mini");
  for (const id of ["gpt-6", "..%2f..%2fstatus", "%ff", "__proto__", "constructor"]) {
    const { status } = await gateway.error(`/v1/models/${id}`);
    assert.equal(status, 404, id);
  }
});
