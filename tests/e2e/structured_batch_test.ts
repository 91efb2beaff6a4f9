/** Batches with a JSON Schema, and batches with several endpoints. */
import assert from "node:assert/strict";
import { flexllm } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const SCHEMA = {
  title: "A person",
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
};

Deno.test("--schema requests JSON, validates it, retries mismatches, and writes the parsed value", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({
    responses: [
      { match: "cannot be used", text: '{"name":"second"}' },
      { match: "wrong at first", text: '{"nom":"first"}' },
      { match: "always", text: '{"name":1}' },
      { text: '{"name":"Ada"}' },
    ],
  });
  const args = [
    "batch",
    folder.write(
      "in.jsonl",
      '{"q":"good"}\n{"q":"wrong at first"}\n{"q":"good as well"}\n',
    ),
    ...["-o", folder.file("out.jsonl"), "--base-url", mock.baseUrl, "-m", "m"],
    ...["--schema", folder.write("person.json", JSON.stringify(SCHEMA))],
  ];
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 0, stderr);
  const records = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(records.map(({ parsed }) => parsed.name), ["Ada", "second", "Ada"]);
  assert.equal(records[1].output, '{"name":"second"}');
  assert.equal(mock.requests.length, 4);
  assert.deepEqual(mock.requests[0].response_format, {
    type: "json_schema",
    json_schema: { name: "A_person", schema: SCHEMA },
  });
  const usage = records.reduce((sum, { usage }) => sum + usage.total_tokens, 0);
  assert.ok(records[1].usage.prompt_tokens > 2 * records[0].usage.prompt_tokens, `${usage}`);
});

Deno.test("an answer that never matches is a failed record with its text, usage and cost", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ responses: [{ text: '{"name":1}' }] });
  const args = [
    ...["batch", folder.write("in.jsonl", '{"q":"one"}\n'), "-o", folder.file("out.jsonl")],
    ...["--base-url", mock.baseUrl, "-m", "m", "--schema-retries", "1"],
    ...["--schema", folder.write("person.json", JSON.stringify(SCHEMA)), "--json"],
  ];
  const { code, stdout, stderr } = await flexllm(args);
  assert.equal(code, 3);
  assert.match(stderr, /\nTokens: .* Cost: unknown\n/);
  const [record] = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual([record.status, record.error_code, record.output], [
    "error",
    "schema_mismatch",
    '{"name":1}',
  ]);
  assert.equal(mock.requests.length, 2);
  assert.ok(record.usage.total_tokens > 0);
  const { prompt_tokens, cost, unpriced } = JSON.parse(stdout);
  assert.deepEqual([prompt_tokens, cost, unpriced], [record.usage.prompt_tokens, null, 1]);
});

Deno.test("an invalid schema is reported with its location, and nothing is sent", async () => {
  using folder = temporaryFolder();
  const run = (text: string) =>
    flexllm([
      ...["batch", folder.write("in.jsonl", '{"q":"one"}\n'), "-o", folder.file("out.jsonl")],
      ...["-m", "mock", "--schema", folder.write("schema.json", text)],
    ]);
  for (
    const [text, message] of [
      ['{"type": "object",\n  "properties" {}}', /schema\.json:2:16: not valid JSON \(colon/],
      ["[]", /schema\.json: expected a JSON Schema/],
      ['{"properties": {"age": {"type": "int"}}}', /#\/properties\/age\/type: unknown type "int"/],
    ] as const
  ) {
    const { code, stderr } = await run(text);
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
});

function poolConfig(urls: string[], more = ""): string {
  const endpoints = urls.map((url) => `    - {base_url: "${url}", model: m, concurrency_limit: 4}`);
  return `batch:\n  load_balance: least_busy\n${more}  endpoints:\n${endpoints.join("\n")}\n`;
}

Deno.test("batch.endpoints share the work, also if one is down", async () => {
  using folder = temporaryFolder();
  await using first = await watchedMock();
  await using second = await watchedMock();
  const input = Array.from({ length: 60 }, (_, i) => `{"q":"Question ${i}"}\n`).join("");
  const config = poolConfig([first.baseUrl, "http://127.0.0.1:1/v1", second.baseUrl]);
  const args = [
    ...["batch", folder.write("in.jsonl", input), "-o", folder.file("out.jsonl"), "--verbose"],
    ...["--config", folder.write("config.yaml", config)],
  ];
  const { code, stderr } = await flexllm(args);
  assert.equal(code, 0, stderr);
  assert.equal(jsonLines(folder.read("out.jsonl")).length, 60);
  assert.equal(first.requests.length + second.requests.length, 60);
  assert.ok(first.requests.length > 10 && second.requests.length > 10);
  assert.match(stderr, /endpoint: m at http:\/\/127\.0\.0\.1:1\/v1, no key/);
  // The other endpoints took over its share, so only this line shows that it is down.
  const reported = /^Endpoint (\S+): (\d+) of (\d+) requests failed, last error: /m
    .exec(stderr);
  assert.equal(reported?.[1], "http://127.0.0.1:1/v1");
  assert.equal(reported?.[2], reported?.[3]);

  const alone = await flexllm([...args, "-m", "mock", "--rerun-changed"]);
  assert.equal(alone.code, 0);
  assert.match(alone.stderr, /All 60 records are already done/);
});

Deno.test("without fallback, an endpoint that is down fails some records and does not stop the others", async () => {
  using folder = temporaryFolder();
  await using first = await watchedMock();
  const config = poolConfig([first.baseUrl, "http://127.0.0.1:1/v1"]);
  const input = Array.from({ length: 60 }, (_, i) => `{"q":"Question ${i}"}\n`).join("");
  const args = [
    ...["batch", "-o", folder.file("out.jsonl"), "--retry-times", "0", "--config"],
    folder.write("config.yaml", config.replace("batch:", "batch:\n  fallback: false")),
  ];
  const { code, stderr } = await flexllm(args, { stdin: input });
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^Done: 60 of 60 records/m);
  assert.ok(first.requests.length > 30, `${first.requests.length} requests`);
});

Deno.test("a mistake in batch.endpoints is reported with its location", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", '{"q":"one"}\n');
  for (
    const [config, message] of [
      [poolConfig(["ftp://host/v1"]), /config\.yaml:4:\d+: base URL "ftp:\/\/host\/v1" does not/],
      [
        "batch:\n  endpoints:\n    - {model: m}\n",
        /config\.yaml:3:\d+: the endpoint has no base_url/,
      ],
      [
        "batch:\n  endpoints:\n    - {base_uri: x}\n",
        /unknown field "base_uri": did you mean "base_url"/,
      ],
      ["batch:\n  endpoints: []\n", /batch\.endpoints: expected at least one endpoint/],
      [poolConfig(["http://h/v1"], "  load_balance2: x\n"), /did you mean "load_balance"/],
      ["batch:\n  endpoints: [{base_url: http://h/v1}]\n", /the endpoint has no model/],
    ] as const
  ) {
    const { code, stderr } = await flexllm([
      ...["batch", input, "-o", folder.file("out.jsonl")],
      ...["--config", folder.write("config.yaml", config)],
    ]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  }
});

Deno.test("a refusal is an answer: saved with its text, counted as refused, not requested again", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ responses: [{ refusal: "I can't help with that." }] });
  const args = [
    ...[
      "batch",
      folder.write("in.jsonl", '{"q":"Hi"}\n{"q":"Ho"}\n'),
      "-o",
      folder.file("out.jsonl"),
    ],
    ...["--base-url", mock.baseUrl, "-m", "m", "--schema-retries", "3"],
    ...["--schema", folder.write("schema.json", '{"type":"object"}')],
  ];
  const { code, stdout, stderr } = await flexllm([...args, "--json"]);
  assert.equal(code, 0, stderr);
  assert.equal(mock.requests.length, 2);
  const { succeeded, refused, failed } = JSON.parse(stdout);
  assert.deepEqual([succeeded, refused, failed], [2, 2, 0]);
  assert.match(stderr, /2 succeeded, 0 failed, 2 refused by the model/);
  const [line] = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(
    [line.status, line.refusal, line.finish_reason, line.parsed],
    ["success", "I can't help with that.", "content_filter", undefined],
  );
  await flexllm(args);
  assert.equal(mock.requests.length, 2, "a resume sends nothing");
  const asked = await flexllm(["ask", "Hi", "--base-url", mock.baseUrl, "-m", "m"]);
  assert.equal(asked.stdout, "I can't help with that.\n");
});
