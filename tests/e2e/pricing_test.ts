/** `flexllm pricing`. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { flexllm } from "../support/cli.ts";
import { httpAnswer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

Deno.test("pricing finds a model by an approximate part of its name", async () => {
  for (const name of ["gpt-5.4-mini", "GPT 5.4 mini", "gpt54mini"]) {
    const { code, stdout } = await flexllm(["pricing", name]);
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}model +input +cached +output +batch in +batch out +context\n/);
    assert.match(stdout, /\nOpenAI\n {2}gpt-5\.4-mini +0\.75 +0\.075 +4\.5 +0\.375 +2\.25 +400k\n/);
  }
  const rows = JSON.parse((await flexllm(["pricing", "claude-sonnet-4", "--json"])).stdout);
  assert.ok(rows.some((row: { vendor: string }) => row.vendor === "Anthropic"));
  const [row] = JSON.parse((await flexllm(["pricing", "gpt-5.4-mini", "--json"])).stdout);
  assert.deepEqual([row.model, row.vendor], ["gpt-5.4-mini", "OpenAI"]);
  assert.deepEqual([row.cached_input, row.context_window], [0.075, 400_000]);
  const all = JSON.parse((await flexllm(["pricing", "--json"])).stdout);
  assert.ok(all.length > 1000);
});

Deno.test("an unknown model gets suggestions", async () => {
  const { code, stderr } = await flexllm(["pricing", "gpt-5.4-minni"]);
  assert.equal(code, 1);
  assert.match(stderr, /no known price for "gpt-5\.4-minni"\nSimilar: .*gpt-5\.4-mini/);
  assert.match((await flexllm(["pricing", "sonet"])).stderr, /\nSimilar: claude-\S*sonnet/);
});

/** The form of OpenRouter's list: prices in USD per token, as text; -1 means that it varies. */
const LISTED = {
  data: [
    {
      id: "vendor/one",
      pricing: {
        prompt: "0.0000025",
        completion: "0.00001",
        request: "0",
        image: "0",
        internal_reasoning: "0",
        input_cache_read: "0.00000025",
      },
    },
    { id: "vendor/free:free", pricing: { prompt: "0", completion: "0" } },
    { id: "openrouter/auto", pricing: { prompt: "-1", completion: "-1" } },
  ],
};

Deno.test("pricing --update downloads OpenRouter's prices, preserves the user's, and lists changes", async () => {
  using home = temporaryFolder();
  let listed: unknown = LISTED;
  await using server = await startRawServer((socket) =>
    socket.write(httpAnswer(200, typeof listed === "string" ? listed : JSON.stringify(listed)))
  );
  home.write("pricing.json", '{"prices":[{"model":"mine","input":1,"output":2}]}');
  const env = { FLEXLLM_HOME: home.path };
  const update = () => flexllm(["pricing", "--update", "--from", server.baseUrl], { env });
  const first = await update();
  assert.equal(first.code, 0, first.stderr);
  assert.equal(server.requests[0].path, "/v1/models");
  assert.match(
    first.stdout,
    /new: vendor\/one: 2\.5 in, 10 out\nnew: vendor\/free:free: 0 in, 0 out/,
  );
  const { updated, prices } = JSON.parse(home.read("pricing.json"));
  assert.ok(Date.parse(updated) > 0);
  assert.deepEqual(prices.map(({ model }: { model: string }) => model), [
    "mine",
    "vendor/one",
    "vendor/free:free",
  ]);
  assert.deepEqual([prices[1].base_url, prices[1].cached_input], [
    "https://openrouter.ai/api/v1",
    0.25,
  ]);
  assert.match((await flexllm(["pricing", "mine"], { env })).stdout, /your prices\n {2}mine +1 +2/);

  assert.match((await update()).stderr, /2 models from OpenRouter, no changes/);
  LISTED.data[0].pricing.completion = "0.00002";
  LISTED.data.splice(1, 1);
  assert.match(
    (await update()).stdout,
    /changed: vendor\/one: 2\.5 in, 10 out -> 2\.5 in, 20 out\nremoved:/,
  );

  const unchanged = home.read("pricing.json");
  for (const broken of ["<html>", "{}", '{"data":[]}']) {
    listed = broken;
    const { code, stderr } = await update();
    assert.equal(code, 3, stderr);
    assert.equal(home.read("pricing.json"), unchanged);
  }
  assert.deepEqual(readdirSync(home.path), ["pricing.json"]);
});

Deno.test("pricing --from requires --update", async () => {
  const { code, stderr } = await flexllm(["pricing", "--from", "http://127.0.0.1:1"]);
  assert.equal(code, 1);
  assert.match(stderr, /--from requires --update/);
});

Deno.test("pricing without --update writes nothing", async () => {
  using home = temporaryFolder();
  const folder = home.file("flexllm");
  await flexllm(["pricing", "gpt-5"], { env: { FLEXLLM_HOME: folder } });
  assert.equal(existsSync(folder), false);
});
