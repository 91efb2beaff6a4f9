/** Short and inline schemas on the command line. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { flexllm } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

Deno.test("schema prints the JSON Schema of any --schema value", async () => {
  using folder = temporaryFolder();
  const short = await flexllm(["schema", "name, age? int: in years"]);
  assert.deepEqual([short.code, short.stderr], [0, ""]);
  const schema = {
    type: "object",
    properties: {
      name: { type: "string" },
      age: { type: ["integer", "null"], description: "in years" },
    },
    required: ["name", "age"],
    additionalProperties: false,
  };
  assert.deepEqual(JSON.parse(short.stdout), schema);
  const file = folder.write("s.json", short.stdout);
  for (const given of [file, short.stdout]) {
    assert.deepEqual(JSON.parse((await flexllm(["schema", given])).stdout), schema);
  }
  const missing = await flexllm(["schema", "none.json"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /cannot read the schema none\.json: it does not exist\nUse a file/);
  const wrong = await flexllm(["schema", "name, age itn"]);
  assert.match(wrong.stderr, /the schema, character 11: unknown type "itn": did you mean int\?/);
});

Deno.test("ask and batch take short and inline schemas", async () => {
  await using mock = await watchedMock();
  using folder = temporaryFolder();
  const flags = ["-m", "m", "--base-url", mock.baseUrl];
  const inline = '{"title": "river", "type": "object", "properties": {"name": {"type": "string"}}}';
  for (const schema of ["name, tags [string]", inline]) {
    const { code, stdout } = await flexllm(["ask", "A river", ...flags, "--schema", schema]);
    assert.equal(code, 0);
    assert.equal(typeof JSON.parse(stdout).name, "string");
  }
  const [short, json] = mock.requests.map(({ response_format }) => response_format.json_schema);
  assert.deepEqual([short.name, short.strict, json.name], ["answer", true, "river"]);
  assert.equal(json.strict, undefined);

  folder.write("in.jsonl", '{"q":"Lovely"}\n');
  const batch = ["batch", "in.jsonl", "-o", "out.jsonl", ...flags];
  const cwd = folder.path;
  assert.equal((await flexllm([...batch, "--schema", "mood (good|bad)"], { cwd })).code, 0);
  const { parsed } = JSON.parse(readFileSync(folder.file("out.jsonl"), "utf8"));
  assert.ok(["good", "bad"].includes(parsed.mood));
  const before = mock.requests.length;
  const wrong = await flexllm([...batch, "--schema", "mood good|bad"], { cwd });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /character 6: expected a choice in parentheses/);
  assert.equal(mock.requests.length, before);
});

Deno.test("the mock of OpenAI's own API accepts schemas in short form as strict ones", async () => {
  const all = "a, b? int, c [x, y? float], d {e? (f|g), h bool}, i? {j}, k? [int]";
  for (const provider of ["openai", "claude", "gemini"]) {
    await using mock = await watchedMock();
    using folder = temporaryFolder();
    const base_url = provider === "openai" ? mock.baseUrl : mock.baseUrl.replace(/\/v1$/, "");
    const config = folder.write(
      "c.yaml",
      `models: [{id: m, provider: ${provider}, base_url: "${base_url}", api_key: k}]`,
    );
    const args = ["ask", "x", "--schema", all, "--config", config];
    const { code, stdout, stderr } = await flexllm(args);
    assert.equal(code, 0, `${provider}: ${stderr}`);
    assert.deepEqual(Object.keys(JSON.parse(stdout)), ["a", "b", "c", "d", "i", "k"]);
  }
});
