/** `flexllm batch -m a -m b`: every record is sent to several models. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { LLMClient } from "../../mod.ts";
import { serve } from "../../lib/runtime/http_server.ts";
import { createMockApp } from "../../mod.ts";
import { flexllm } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question ${i}","id":${i}}\n`).join("");
}

/** Index, requested model and status of each line. */
function lines(text: string): string[] {
  return jsonLines(text).map((line) =>
    `${line.index} ${line.requested_model ?? "-"} ${line.status}`
  );
}

/** A mock that requires `key`, and refuses prompts for which `fails` is true with 400. */
async function server(key: string, fails: (prompt: string) => boolean = () => false) {
  const app = createMockApp();
  const prompts: string[] = [];
  const listening = await serve("127.0.0.1", 0, async (request) => {
    if (request.headers.get("authorization") !== `Bearer ${key}`) {
      return Response.json({ error: { message: "wrong key" } }, { status: 401 });
    }
    const { messages } = await request.clone().json();
    const prompt = messages.at(-1).content;
    prompts.push(prompt);
    if (fails(prompt)) return Response.json({ error: { message: "no" } }, { status: 400 });
    return await app.fetch(request);
  });
  return {
    prompts,
    baseUrl: `http://127.0.0.1:${listening.port}/v1`,
    [Symbol.asyncDispose]: () => listening.close(),
  };
}

Deno.test("a further -m sends only what is missing, and marks the results of a single model", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const input = folder.write("in.jsonl", questions(3));
  const output = folder.file("out.jsonl");
  const batch = (...models: string[]) =>
    flexllm([
      ...["batch", input, "-o", output, "--base-url", mock.baseUrl],
      ...models.flatMap((model) => ["-m", model]),
    ]);

  assert.equal((await batch("one")).code, 0);
  assert.deepEqual(lines(folder.read("out.jsonl")), ["0 - success", "1 - success", "2 - success"]);
  const two = await batch("one", "two");
  assert.equal(two.code, 0, two.stderr);
  assert.match(two.stderr, /Done: 6 of 6 results .*3 succeeded, 0 failed, 3 already done/);
  assert.match(two.stderr, /^two +3 +0 +0 /m);
  assert.deepEqual(lines(folder.read("out.jsonl")), [
    ...["0 one success", "0 two success", "1 one success"],
    ...["1 two success", "2 one success", "2 two success"],
  ]);
  assert.equal((await batch("three", "one")).code, 0);
  assert.deepEqual(mock.requests.map(({ model }) => model).toSorted(), [
    ...["one", "one", "one", "three", "three", "three", "two", "two", "two"],
  ]);

  const done = await batch("one", "two", "three");
  assert.match(done.stderr, /All 9 results are already done; nothing was sent/);
  const single = await batch("two");
  assert.match(single.stderr, /All 3 records are already done; nothing was sent/);
  assert.equal(mock.requests.length, 9);

  const results = await flexllm(["results", output]);
  assert.match(
    results.stdout,
    /^9 results: 9 succeeded, 0 failed\n {2}one: 3 succeeded, 0 failed\n/,
  );

  await using client = new LLMClient({ baseUrl: mock.baseUrl, model: "one" });
  await assert.rejects(
    client.chatCompletionsBatch([[{ role: "user", content: "Question 0" }]], { output }),
    /has the results of several models: one, two, three/,
  );
});

Deno.test("each model has its own server, key and failures; a refused key does not stop the others", async () => {
  using folder = temporaryFolder();
  let failing = true;
  await using good = await server("key-1", (prompt) => failing && prompt === "Question 1");
  await using other = await server("key-2");
  const input = folder.write("in.jsonl", questions(4));
  const output = folder.file("out.jsonl");
  const config = (second: string) =>
    folder.write(
      "c.yaml",
      `models:
  - {id: m, name: first, base_url: "${good.baseUrl}", api_key: key-1, price: {input: 1, output: 2}}
  - {id: m, name: second, base_url: "${other.baseUrl}", api_key: ${second}, price: {input: 3, output: 4}}
`,
    );
  const args = ["batch", input, "-o", output, "-m", "first", "-m", "second", "--config"];
  const refused = await flexllm([...args, config("wrong"), "--json"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error: second: the server answered 401/m);
  assert.match(refused.stderr, /record 1, first\): the server answered 400: no/);
  const summary = JSON.parse(refused.stdout);
  assert.deepEqual(
    summary.by_requested_model.map((
      // deno-lint-ignore no-explicit-any
      { requested_model, succeeded, failed, stopped_by }: any,
    ) => [requested_model, succeeded, failed, stopped_by?.code]),
    [["first", 3, 1, undefined], ["second", 0, 0, "authentication"]],
  );

  const failed = await flexllm([...args, config("key-2")]);
  assert.equal(failed.code, 3);
  assert.match(failed.stderr, /Done: 8 of 8 results .*4 succeeded, 1 failed, 3 already done/);
  const results = await flexllm(["results", output, "--failed"]);
  assert.match(results.stdout, /1 × http \(first\): the server answered 400: no\n {4}record 1\n/);
  assert.match(results.stdout, /To retry them: flexllm batch INPUT -o \S+ -m first --only-failed/);

  failing = false;
  const retried = await flexllm([...args, config("key-2"), "--only-failed"]);
  assert.equal(retried.code, 0);
  assert.match(retried.stderr, /Done: 1 of 1 result .*1 succeeded, 0 failed/);
  assert.equal(other.prompts.length, 4);
  assert.deepEqual(good.prompts.toSorted(), [
    ...["Question 0", "Question 1", "Question 1", "Question 1", "Question 2", "Question 3"],
  ]);
  assert.deepEqual(lines(folder.read("out.jsonl")).length, 8);
});

Deno.test("limits, shards, estimates and budgets count every model", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(6));
  const config = folder.write(
    "c.yaml",
    `models:
  - {id: m1, name: cheap, provider: mock, price: {input: 0, output: 0, request: 0.01}}
  - {id: m2, name: dear, provider: mock, price: {input: 0, output: 0, request: 1}}
`,
  );
  const args = ["batch", input, "--config", config, "-m", "cheap", "-m", "dear"];
  const limited = await flexllm([...args, "-o", folder.file("limit.jsonl"), "--limit", "2"]);
  assert.match(limited.stderr, /Done: 4 of 4 results/);
  assert.deepEqual(lines(folder.read("limit.jsonl")), [
    ...["0 cheap success", "0 dear success", "1 cheap success", "1 dear success"],
  ]);

  for (const shard of ["1/2", "2/2"]) {
    const part = folder.file(`part-${shard[0]}.jsonl`);
    assert.equal((await flexllm([...args, "-o", part, "--shard", shard])).code, 0);
  }
  writeFileSync(
    folder.file("all.jsonl"),
    folder.read("part-2.jsonl") + folder.read("part-1.jsonl"),
  );
  const merged = await flexllm([...args, "-o", folder.file("all.jsonl")]);
  assert.match(merged.stderr, /All 12 results are already done/);
  assert.deepEqual(
    lines(folder.read("all.jsonl")),
    Array.from({ length: 6 }, (_, i) => [`${i} cheap success`, `${i} dear success`]).flat(),
  );

  const estimate = await flexllm([
    ...args,
    "-o",
    folder.file("limit.jsonl"),
    "--estimate",
    "--json",
  ]);
  const { models, lowest_cost } = JSON.parse(estimate.stdout);
  assert.deepEqual(
    // deno-lint-ignore no-explicit-any
    models.map(({ model, records }: any) => [model, records]),
    [["m1", 4], ["m2", 4]],
  );
  assert.equal(lowest_cost.toFixed(2), "4.04");

  const budget = await flexllm([
    ...[...args, "-o", folder.file("budget.jsonl"), "--budget", "2.5", "--max-tokens", "5"],
  ]);
  assert.equal(budget.code, 4);
  assert.match(budget.stderr, /^error: dear: the budget of \$2.5 does not allow/m);
  const counts = Map.groupBy(
    jsonLines(folder.read("budget.jsonl")),
    (line) => line.requested_model,
  );
  assert.deepEqual([counts.get("cheap")!.length, counts.get("dear")!.length], [6, 2]);
});

Deno.test("indistinguishable models are refused before anything is sent", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const input = folder.write("in.jsonl", questions(2));
  const url = ["--base-url", mock.baseUrl];
  const cases: [args: string[], error: RegExp][] = [
    [["-m", "a", "-m", "b", "-m", "a"], /-m a is given twice/],
    [["-m", "a", "-m", ""], /the model name is empty/],
  ];
  for (const [args, error] of cases) {
    const output = ["-o", folder.file("new.jsonl")];
    const { code, stderr } = await flexllm(["batch", input, ...output, ...url, ...args]);
    assert.equal(code, 1);
    assert.match(stderr, error);
  }
  const own = folder.write("own.jsonl", '{"q":"Hi","model":"mine"}\n');
  const named = await flexllm([
    ...["batch", own, "-o", folder.file("o.jsonl"), ...url, "-m", "a", "-m", "b"],
  ]);
  assert.equal(named.code, 1);
  assert.match(named.stderr, /own\.jsonl:1: model: a record cannot name its own model if several/);

  const old = folder.file("old.jsonl");
  assert.equal((await flexllm(["batch", input, "-o", old, ...url, "-m", "gpt-5.4-mini"])).code, 0);
  const before = folder.read("old.jsonl");
  const others = await flexllm(["batch", input, "-o", old, ...url, "-m", "gpt-5.4", "-m", "b"]);
  assert.equal(others.code, 1);
  assert.match(
    others.stderr,
    /has the answers of a single model \(gpt-5\.4-mini\), which is none of those requested\n.*-m, or/,
  );
  assert.equal(folder.read("old.jsonl"), before);
  assert.equal(mock.requests.length, 2);
});
