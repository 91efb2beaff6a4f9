/** Problems in configuration files: positions, suggestions, order. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { ConfigurationError } from "../../lib/errors.ts";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { loadConfig, readConfigText } from "../../lib/config/load.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** The problems of a file, or the lines of the error if it cannot be parsed. */
function problemsOf(text: string, file = "f.yaml"): string[] {
  try {
    return inspectConfig(file, text).problems.map(({ message }) => message);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error.message.split("\n");
  }
}

Deno.test("problems are listed in the order of the file, each with what was expected", () => {
  const text = `models:
  - id: a
    provider: opnai
    options: {temperature: hot, seeed: 1, stop: 5}
  - {id: a, apikey: x}
batch:
  temperature: -1
  concurency: 5
  endpoints: [{provider: mock, weight: -1, x: 1}]
default: z
cach: true
templates: {t: {promt: hi}}
`;
  assert.deepEqual(problemsOf(text), [
    'f.yaml:3:15: models[0].provider: got "opnai", did you mean "openai"?',
    'f.yaml:4:28: models[0].options.temperature: expected a number, got "hot"',
    'f.yaml:4:33: unknown field "seeed": did you mean "seed"?',
    "f.yaml:4:49: models[0].options.stop: expected a string or a list of strings, got 5",
    'f.yaml:5:5: two models are named "a"',
    'f.yaml:5:13: unknown field "apikey": did you mean "api_key"?',
    "f.yaml:7:16: batch.temperature: expected a number ≥ 0, got -1",
    'f.yaml:8:3: unknown field "concurency": did you mean "concurrency"?',
    "f.yaml:9:40: batch.endpoints[0].weight: expected a number > 0, got -1",
    'f.yaml:9:44: unknown field "x": expected one of model, provider, base_url, api_key, headers, api, ' +
    "extra_body, price, weight, concurrency_limit, max_qps, max_tpm, max_in_flight",
    'f.yaml:10:10: default: no model "z" in models',
    'f.yaml:11:1: unknown field "cach": did you mean "cache"?',
    'f.yaml:12:17: unknown field "promt": did you mean "prompt"?',
  ]);
});

Deno.test("a list in place of named fields is a problem anywhere in the file", () => {
  const text = `models:
  - {id: a, headers: [b], extra_body: {tools: [{x: [1]}]}, options: {stop: [x]}}
serve:
  routes: [big]
  teams: [x]
  limits: []
  cache: []
  cors: []
batch: {endpoints: [[q]], jobs: []}
templates: [a]
cache: [5]
`;
  assert.deepEqual(problemsOf(text), [
    "f.yaml:2:22: models[0].headers: expected name: value pairs, got a list",
    "f.yaml:4:11: serve.routes: expected name: models pairs, got a list",
    "f.yaml:5:10: serve.teams: expected name: limits pairs, got a list",
    "f.yaml:6:11: serve.limits: expected limits such as rpm, tpm, concurrent and budget, got a list",
    "f.yaml:7:10: serve.cache: expected true, false, shared, or settings such as ttl and shared, got a list",
    "f.yaml:9:21: batch.endpoints[0]: expected an endpoint with base_url, api_key and model, got a list",
    "f.yaml:9:33: batch.jobs: expected the settings of provider jobs, got a list",
    "f.yaml:10:12: templates: expected name: text pairs, got a list",
    "f.yaml:11:8: cache: expected true, false, or ttl, store, path and namespace, got a list",
  ]);
});

Deno.test("the sampling options of models and batches have the same names", () => {
  const fields = "temperature: 1, top_p: 0.9, top_k: 5, max_tokens: 9, thinking: low, stop: [x], " +
    "seed: 1, presence_penalty: 0, frequency_penalty: 0";
  const text = `models: [{id: a, options: {${fields}}}]\nbatch: {${fields}}\n`;
  assert.deepEqual(problemsOf(text), []);
  const wrong = `models: [{id: a, options: {topp: 1}}]\nbatch: {topp: 1}\n`;
  assert.deepEqual(problemsOf(wrong), [
    'f.yaml:1:28: unknown field "topp": did you mean "top_p"?',
    'f.yaml:2:9: unknown field "topp": did you mean "top_p"?',
  ]);
});

Deno.test("mistakes of YAML are explained without the terms of a library", () => {
  const cases: [text: string, problems: string[]][] = [
    ["models: []\nmodels: []\n", ["f.yaml:2:1: not valid YAML: the field models appears twice"]],
    ["a: b: c\n", [
      'f.yaml:1:4: not valid YAML: expected one value after the first colon; a text with ": " needs quotes',
    ]],
    ["batch:\n\tconcurrency: 5\n", [
      "f.yaml:2:1: not valid YAML: indented with a tab; use spaces",
    ]],
    ["default: a\n---\nx: 1\n", [
      "f.yaml:2:1: not valid YAML: expected one document, found another one after ---",
    ]],
    ["just text\n", ["f.yaml:1:1: expected fields such as models and batch"]],
  ];
  for (const [text, problems] of cases) assert.deepEqual(problemsOf(text), problems);
  assert.deepEqual(problemsOf('{"models": [}', "f.json"), [
    "f.json:1:13: not valid JSON: value expected",
  ]);
});

Deno.test("fields that JSON repeats are warned about at any depth", () => {
  const text =
    '{"models": [{"id": "a", "id": "b", "provider": "mock"}],\n "batch": {}, "batch": {}}';
  const { problems, warnings } = inspectConfig("f.json", text);
  assert.deepEqual(problems, []);
  assert.deepEqual(warnings, [
    'f.json:1:25: "id" appears twice; the last one is used',
    'f.json:2:15: "batch" appears twice; the last one is used',
  ]);
});

Deno.test("files that are not UTF-8 are refused, with the position and the conversion", () => {
  using folder = temporaryFolder();
  const read = (name: string, bytes: string) => {
    writeFileSync(folder.file(name), bytes, "latin1");
    try {
      return readConfigText(folder.file(name));
    } catch (error) {
      assert.ok(error instanceof ConfigurationError);
      return `${error.message}. ${error.hint}`.replaceAll(`${folder.path}/`, "");
    }
  };
  assert.equal(
    read("a.yaml", "default: a\n# caf\xe9\n"),
    "a.yaml:2:6: not UTF-8. Convert the file: iconv -f latin1 -t utf-8 a.yaml > FILE",
  );
  assert.match(read("b.yaml", "\xff\xfea\0"), /^b\.yaml is UTF-16, not UTF-8\. .*iconv -f utf-16/);
  // A byte order mark, and a replacement character that somebody typed.
  assert.equal(read("c.yaml", "\xef\xbb\xbfa: \xef\xbf\xbd"), "\uFEFFa: \uFFFD");
});

Deno.test("the hint names the file if the user named it", () => {
  using folder = temporaryFolder();
  const file = folder.write("my config.yaml", "defualt: x\n");
  const hint = (env: Record<string, string>, named?: string) => {
    try {
      loadConfig({ FLEXLLM_HOME: folder.path, ...env }, "/", named);
    } catch (error) {
      return error instanceof ConfigurationError ? error.hint : undefined;
    }
  };
  assert.equal(
    hint({}, file),
    `Fix it with \`flexllm config edit '${file}'\`, then run \`flexllm config check '${file}'\`.`,
  );
  assert.equal(
    hint({ FLEXLLM_CONFIG: file }),
    "Fix it with `flexllm config edit`, then run `flexllm config check`.",
  );
});
