/** The mock's batch API of OpenAI, Azure and Groq accepts and rejects what theirs do. */
import assert from "node:assert/strict";
import { inputLines, prompts, withBatchMock } from "../../support/batch_mock.ts";

const ROW = {
  custom_id: "a",
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "m", messages: [{ role: "user", content: "Hello" }] },
};

/** The problem that validation finds on the second line. */
async function problemOf(second: unknown, prefix?: string): Promise<unknown> {
  let found: unknown;
  await withBatchMock({}, async (client) => {
    const line = typeof second === "string" ? second : JSON.stringify(second);
    const file = await client.uploaded(`${JSON.stringify(ROW)}\n${line}\n`);
    const { id } = await (await client.create(file)).json();
    const { errors, status } = await client.json("GET", `/batches/${id}`);
    const [error] = errors?.data ?? errors ?? [];
    found = error === undefined ? status : [error.code, error.line, error.param];
  }, { prefix });
  return found;
}

Deno.test("validation stops at the first bad line, with OpenAI's codes", async () => {
  const cases: [unknown, unknown][] = [
    [{ ...ROW, custom_id: "b" }, "completed"],
    ["{", ["invalid_json_line", 2, null]],
    ["[1]", ["invalid_json_line", 2, null]],
    ["\ufeff{", ["invalid_json_line", 2, null]],
    [ROW, ["duplicate_custom_id", 2, "custom_id"]],
    [{ ...ROW, custom_id: undefined }, ["missing_required_parameter", 2, "custom_id"]],
    [{ ...ROW, custom_id: 5 }, ["invalid_request", 2, "custom_id"]],
    [{ ...ROW, custom_id: "b", method: "GET" }, ["invalid_method", 2, "method"]],
    [{ ...ROW, custom_id: "b", url: "/v1/responses" }, ["invalid_url", 2, "url"]],
    [{ ...ROW, custom_id: "b", body: {} }, ["missing_required_parameter", 2, "body.model"]],
    [{ ...ROW, custom_id: "b", body: { model: "n" } }, ["mismatched_model", 2, "body.model"]],
    [
      { ...ROW, custom_id: "b", body: { ...ROW.body, stream: true } },
      ["streaming_unsupported", 2, "body.stream"],
    ],
  ];
  for (const [line, expected] of cases) {
    assert.deepEqual(await problemOf(line), expected, JSON.stringify(line));
  }
});

Deno.test("Azure has codes of its own, and Groq takes several models in one file", async () => {
  const other = { ...ROW, custom_id: "b", body: { ...ROW.body, model: "n" } };
  const azure = "/azure/openai";
  assert.deepEqual(await problemOf(other, azure), ["model_mismatch", 2, "body.model"]);
  const wrong = { ...ROW, custom_id: "b", url: "/v1/responses" };
  assert.deepEqual(await problemOf(wrong, azure), ["url_mismatch", 2, "url"]);
  assert.equal(await problemOf({ ...other, url: "/v1/responses" }, "/groq/openai"), "completed");
});

Deno.test("an invalid row fails alone, with the error of the synchronous API", () =>
  withBatchMock({}, async (client) => {
    const body = { model: "any", messages: [{ role: "bogus", content: "x" }] };
    const line = JSON.stringify({ ...ROW, body });
    const file = await client.uploaded(`${line}\n${inputLines(prompts(2))}`);
    const { id } = await (await client.create(file)).json();
    const { error_file_id, request_counts } = await client.json("GET", `/batches/${id}`);
    assert.deepEqual(request_counts, { total: 3, completed: 2, failed: 1 });
    const [{ custom_id, response, error }] = await client.content(error_file_id);
    const live = await client.send("POST", "/chat/completions", body);
    assert.deepEqual([custom_id, response.status_code, error], ["a", 400, null]);
    assert.deepEqual(response.body, await live.json());
  }));

Deno.test("wrong creates and uploads are rejected, and create nothing", () =>
  withBatchMock({}, async (client) => {
    const file = await client.uploaded(inputLines(["a"]));
    const metadata = Object.fromEntries(prompts(17).map((name) => [name, "x"]));
    for (
      const [id, more, message] of [
        ["file-none", {}, /cannot find file file-none/],
        [file, { endpoint: "/v1/nope" }, /Invalid value: '\/v1\/nope'/],
        [file, { completion_window: "7d" }, /Value must be '24h'/],
        [file, { metadata }, /maximum is 16/],
        [file, { metadata: { a: 5 } }, /metadata\.a/],
        [file, { endpoint: undefined }, /Missing required parameter: 'endpoint'/],
      ] as const
    ) {
      const response = await client.create(id, more);
      assert.equal(response.status, 400);
      assert.match((await response.json()).error.message, message);
    }
    const form = new FormData();
    form.append("purpose", "nope");
    form.append("file", new Blob(["x"]), "x");
    for (const body of [form, new FormData(), "no form"]) {
      const response = await fetch(`${client.base}/files`, { method: "POST", body });
      assert.equal(response.status, 400);
      await response.text();
    }
    for (const path of ["/batches?limit=0", "/batches?limit=x", "/batches/none/cancel", "/nope"]) {
      const response = await client.send(path.endsWith("cancel") ? "POST" : "GET", path);
      assert.ok([400, 404].includes(response.status), path);
      await response.text();
    }
    assert.equal((await client.ledger()).jobs.length, 0);
    assert.equal((await client.json("GET", "/files")).data.length, 1);
  }));

Deno.test("a deleted input does not harm its batch, and an expired file is gone", () =>
  withBatchMock({ duration: 10 }, async (client) => {
    const file = await client.uploaded(inputLines(["a"]));
    const { id } = await (await client.create(file)).json();
    await client.json("DELETE", `/files/${file}`);
    await client.advance(20);
    const { status, output_file_id } = await client.json("GET", `/batches/${id}`);
    assert.deepEqual([status, (await client.content(output_file_id)).length], ["completed", 1]);
    const other = await client.uploaded(inputLines(["b"]));
    await client.advance(31 * 86_400);
    assert.equal((await client.create(other)).status, 400);
  }));

Deno.test("the ledger counts a request that was sent in two batches", () =>
  withBatchMock({}, async (client) => {
    await client.batch(["a", "b"]);
    await client.batch(["b", "c"]);
    const { totals, rows } = await (await fetch(`${client.origin}/__mock/batches`)).json();
    assert.deepEqual(totals, { jobs: 2, rows: 4, billed: 4, billed_twice: 1 });
    assert.deepEqual([rows.length, rows[0].billed, rows[0].ids.sort()], [1, 2, ["r0", "r1"]]);
    assert.equal(rows[0].jobs.length, 2);
  }));

Deno.test("the provider is that of the path, of the option, or of the SDK", async () => {
  const listOf = async (api: "groq" | undefined, prefix: string, agent?: string) => {
    let list: Record<string, unknown> = {};
    await withBatchMock({ api }, async (client) => {
      const headers: HeadersInit = agent === undefined ? {} : { "user-agent": agent };
      list = await (await client.send("GET", "/batches", undefined, headers)).json();
    }, { prefix });
    return Array.isArray(list) ? "together" : "paging" in list ? "groq" : "openai";
  };
  assert.equal(await listOf(undefined, ""), "openai");
  assert.equal(await listOf("groq", ""), "groq");
  assert.equal(await listOf(undefined, "", "Groq/JS 1.6.0"), "groq");
  assert.equal(await listOf(undefined, "", "Together/JS 0.52.0"), "together");
  assert.equal(await listOf("groq", "/together"), "together");
  assert.equal(await listOf(undefined, "/groq/openai"), "groq");
});
