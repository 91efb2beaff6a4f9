/** Budgets, estimates and the cost report, on the command line. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { flexllm } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question ${i}, a rather short one."}\n`)
    .join("");
}

/** A configuration with a model that costs $0.001 per token. */
function pricedModel(baseUrl: string): string {
  return `default: m\nmodels:\n  - id: m\n    base_url: "${baseUrl}"\n` +
    "    price: {input: 1000, output: 1000}\n";
}

Deno.test("--budget stops before it is exceeded, across runs, with its own exit code", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 200 });
  const args = [
    ...["batch", folder.write("in.jsonl", questions(60)), "-o", folder.file("out.jsonl")],
    ...["--config", folder.write("config.yaml", pricedModel(mock.baseUrl)), "--max-tokens", "60"],
  ];
  const first = await flexllm([...args, "--budget", "1", "--json"]);
  assert.equal(first.code, 4, first.stderr);
  assert.match(
    first.stderr,
    /the budget of \$1 does not allow the next request: \$0\.\d+ spent, and it may/,
  );
  assert.match(first.stderr, /To resume: flexllm batch .* --budget … --json\n/);
  const spent = (text: string) => jsonLines(text).reduce((sum, { cost }) => sum + cost, 0);
  const after = folder.read("out.jsonl");
  assert.ok(spent(after) <= 1 && spent(after) > 0.9, `${spent(after)}`);
  const { by_model, cost } = JSON.parse(first.stdout);
  assert.ok(Math.abs(by_model[0].cost - cost) < 1e-9 && Math.abs(cost - spent(after)) < 1e-9);

  const again = await flexllm([...args, "--budget", "1"]);
  assert.equal(again.code, 4);
  assert.equal(folder.read("out.jsonl"), after, "what was spent before counts");

  const raised = await flexllm([...args, "--budget", "100"]);
  assert.equal(raised.code, 0, raised.stderr);
  assert.equal(jsonLines(folder.read("out.jsonl")).length, 60);
  assert.equal(mock.requests.length, 60);
});

Deno.test("redone records count towards a budget, even if their first answer was replaced", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 200 });
  const config = folder.write("config.yaml", pricedModel(mock.baseUrl));
  const args = ["-o", folder.file("out.jsonl"), "--config", config, "--max-tokens", "60"];
  const run = (name: string, ...flags: string[]) => {
    const text = Array.from({ length: 10 }, (_, i) => `{"q":"${name} ${i}"}\n`).join("");
    return flexllm([
      "batch",
      folder.write(`${name}.jsonl`, text),
      ...args,
      "--rerun-changed",
      ...flags,
    ]);
  };
  const costs = () => jsonLines(folder.read("out.jsonl")).map(({ cost }) => cost);
  const sum = (all: number[]) => all.reduce((total, cost) => total + cost, 0);
  assert.equal((await run("one", "--budget", "10")).code, 0);
  const first = sum(costs());
  assert.equal((await run("two", "--budget", "10")).code, 0);
  const both = first + sum(costs());
  const records = jsonLines(folder.read("out.jsonl"));
  assert.equal(records.length, 10);
  const recorded = sum(records.map(({ cost, spent_before }) => cost + spent_before));
  assert.ok(Math.abs(recorded - both) < 1e-9, `${recorded} of ${both}`);
  const third = await run("three", "--budget", `${both + first / 4}`);
  assert.equal(third.code, 4, third.stderr);
  const spent = sum(
    jsonLines(folder.read("out.jsonl")).map(({ cost, spent_before }) => cost + (spent_before ?? 0)),
  );
  assert.match(third.stderr, /does not allow the next request/);
  assert.ok(spent > 0);
});

Deno.test("a budget requires a price from any source", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const args = [
    ...["batch", folder.write("in.jsonl", questions(3)), "-o", folder.file("out.jsonl")],
    ...["--base-url", mock.baseUrl, "-m", "m", "--budget", "5"],
  ];
  const without = await flexllm(args);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /m at http:.* has no known price[\s\S]*--allow-unpriced/);
  assert.match(without.stderr, /^error: /);
  assert.equal(mock.requests.length, 0);
  const allowed = await flexllm([...args, "--allow-unpriced"]);
  assert.equal(allowed.code, 0);
  assert.match(allowed.stderr, /Tokens: .* Cost: unknown\n/);

  const home = temporaryFolder();
  home.write("pricing.json", '{"prices":[{"model":"m","input":1,"output":2}]}');
  const env = { FLEXLLM_HOME: home.path };
  const priced = await flexllm(
    [...args.slice(0, 3), folder.file("two.jsonl"), ...args.slice(4), "--json"],
    { env },
  );
  assert.equal(priced.code, 0, priced.stderr);
  assert.ok(JSON.parse(priced.stdout).cost > 0);
  home[Symbol.dispose]();
});

Deno.test("records can name any configured model and are charged at its price, as is the mock", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const config = folder.write(
    "config.yaml",
    `${pricedModel(mock.baseUrl)}  - id: other\n    base_url: "${mock.baseUrl}"\n` +
      "    price: {input: 2000, output: 2000}\n" +
      "  - {id: mock, provider: mock, price: {input: 1000, output: 1000}}\n",
  );
  const input = folder.write("in.jsonl", '{"q":"one"}\n{"q":"two","model":"other"}\n');
  const question = folder.write("one.jsonl", '{"q":"one"}\n');
  for (const [file, output, model] of [[input, "a.jsonl", "m"], [question, "b.jsonl", "mock"]]) {
    const { code, stdout, stderr } = await flexllm([
      ...["batch", file, "-o", folder.file(output), "-m", model, "--config", config],
      ...["--budget", "50", "--json"],
    ]);
    assert.equal(code, 0, stderr);
    const { cost, unpriced } = JSON.parse(stdout);
    assert.ok(cost > 0 && unpriced === 0);
  }
});

Deno.test("--estimate prints tokens and cost by model, sends nothing and creates no file", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const config = folder.write("config.yaml", pricedModel(mock.baseUrl));
  const input = folder.write("in.jsonl", `${questions(9)}{"q":"Hello there.","model":"other"}\n`);
  const output = folder.file("out.jsonl");
  const args = ["batch", input, "-o", output, "--config", config, "--estimate"];
  const { code, stdout } = await flexllm([...args, "--max-tokens", "100", "--json"]);
  assert.equal(code, 0);
  const { models } = JSON.parse(stdout);
  assert.equal(models.length, 2);
  const [m, other] = models;
  assert.deepEqual([m.model, m.records, m.max_completion_tokens], ["m", 9, 900]);
  // "Question 0, a rather short one." is nine tokens; the message and the answer's start add seven.
  assert.equal(m.prompt_tokens, 9 * 16);
  assert.ok(Math.abs(m.prompt_cost - 0.144) < 1e-9 && Math.abs(m.max_cost - 1.044) < 1e-9);
  assert.deepEqual([other.model, other.records, other.prompt_cost], ["other", 1, null]);
  assert.equal(mock.requests.length, 0);
  assert.equal(existsSync(output), false);

  const text = await flexllm(args);
  assert.match(text.stdout, /m: 9 records\n {2}input: +about 144 tokens, \$0\.144\n/);
  assert.match(
    text.stdout,
    /unknown without --max-tokens; 1,000 tokens per record would cost \$9/,
  );
  assert.match(text.stdout, /cost unknown[\s\S]*Nothing was sent\./);

  await flexllm([...args.slice(0, -1), "--limit", "5"]);
  const rest = JSON.parse((await flexllm([...args, "--json"])).stdout);
  assert.equal(rest.models[0].records, 4, "done records are not counted");
});

Deno.test("--estimate compares live requests with a provider batch", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(9));
  const price = "{input: 1000, output: 1000, batch: 0.25}";
  const config = folder.write(
    "config.yaml",
    `default: m\nmodels:\n  - {id: m, base_url: "http://one.invalid/v1", price: ${price}}\n`,
  );
  const args = ["batch", input, "--config", config, "--estimate", "--max-tokens", "100"];
  const { code, stdout, stderr } = await flexllm(args);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /, \$1\.04 in total\n {2}batch: {2}\$0\.036 for the input, \$0\.261 in total; about 1 job /,
  );
  const { models: [{ batch }] } = JSON.parse((await flexllm([...args, "--json"])).stdout);
  assert.ok(Math.abs(batch.prompt_cost - 0.036) < 1e-9 && Math.abs(batch.max_cost - 0.261) < 1e-9);
  assert.deepEqual([batch.jobs, batch.unknown], [1, undefined]);
  const unknown = await flexllm([
    ...["batch", input, "--estimate", "--json", "-m", "grok-4"],
    ...["--base-url", "https://api.x.ai/v1"],
  ]);
  assert.deepEqual(JSON.parse(unknown.stdout).models[0].batch, {
    prompt_cost: null,
    max_cost: null,
    cost_per_1000_completion_tokens: null,
    jobs: 1,
    unknown: "the discount depends on the model",
  });
});

Deno.test("--estimate changes no file, even a torn one, and reports when nothing is left", async () => {
  using folder = temporaryFolder();
  const args = [
    ...["batch", folder.write("in.jsonl", questions(3)), "-o", folder.file("out.jsonl")],
    ...["-m", "mock"],
  ];
  assert.equal((await flexllm(args)).code, 0);
  const whole = folder.read("out.jsonl");
  folder.write("out.jsonl", whole.slice(0, -9));
  const { code, stdout } = await flexllm([...args, "--estimate"]);
  assert.equal(code, 0);
  assert.match(stdout, /^mock: 1 record\n[\s\S]*cost \$0\.00/);
  assert.equal(folder.read("out.jsonl"), whole.slice(0, -9));
  folder.write("out.jsonl", whole);
  const done = await flexllm([...args, "--estimate"]);
  assert.deepEqual([done.code, done.stdout], [
    0,
    "There are no records to send. Nothing was sent.\n",
  ]);
});

Deno.test("--estimate covers every endpoint of a pool", async () => {
  using folder = temporaryFolder();
  const config = `batch:
  max_tokens: 100
  endpoints:
    - {base_url: "http://one.invalid/v1", model: a, price: {input: 1000, output: 1000}}
    - {base_url: "http://two.invalid/v1", model: b, price: {input: 2000, output: 3000}}
`;
  const args = [
    ...["batch", folder.write("in.jsonl", questions(10)), "--estimate"],
    ...["--config", folder.write("config.yaml", config)],
  ];
  const { stdout, code, stderr } = await flexllm(args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^a at http:\/\/one\.invalid\/v1: 10 records\n/);
  assert.match(stdout, /\nb at http:\/\/two\.invalid\/v1: 10 records\n/);
  assert.match(stdout, /\nEach endpoint is estimated as if it received all records\.\n/);
  assert.match(stdout, /\nCost: at least \$0\.16, at most \$3\.32\n/);
  const { models, lowest_cost, highest_cost } = JSON.parse(
    (await flexllm([...args, "--json"])).stdout,
  );
  assert.deepEqual(models.map(({ endpoint }: { endpoint: string }) => endpoint), [
    "http://one.invalid/v1",
    "http://two.invalid/v1",
  ]);
  assert.deepEqual([lowest_cost.toFixed(3), highest_cost.toFixed(3)], ["0.160", "3.320"]);
});

Deno.test("the report lists costs by model if there are several", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const input = folder.write("in.jsonl", '{"q":"one"}\n{"q":"two","model":"other"}\n');
  const { code, stderr } = await flexllm([
    ...["batch", input, "-o", folder.file("out.jsonl")],
    ...["--config", folder.write("config.yaml", pricedModel(mock.baseUrl))],
  ]);
  assert.equal(code, 0);
  assert.match(stderr, /\nm +1 +[\d,]+ +\$[\d.]+ {2}http/);
  assert.match(stderr, /\nother +1 +[\d,]+ +unknown {2}http/);
});

Deno.test("--budget is refused if costs are not recorded", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", '{"q":"Hi"}\n');
  const args = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock", "--budget", "1"];
  const { code, stderr } = await flexllm([...args, "--no-track-cost"]);
  assert.equal(code, 1);
  assert.match(stderr, /--budget needs the costs of earlier runs in the result file/);
});
