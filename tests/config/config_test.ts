import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { configuredPrices } from "../../lib/config/configured_prices.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { resolveEndpoint } from "../../lib/config/resolve_endpoints.ts";
import { type ModelFlags, resolveModel } from "../../lib/config/resolve_model.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const SEED = `default: "gpt-4"

models:
  - id: gpt-4
    name: gpt-4
    provider: openai
    base_url: https://api.openai.com/v1
    api_key: your-api-key

  - id: local-ollama
    name: local-ollama
    provider: openai
    base_url: http://localhost:11434/v1
    api_key: EMPTY

batch:
  concurrency: 20
  cache: true
  track_cost: true
`;

function load(folder: TemporaryFolder, text: string, name = "flexllm_config.yaml") {
  chmodSync(folder.write(name, text), 0o600);
  return loadConfig({ FLEXLLM_HOME: folder.path }, folder.path, undefined);
}

function resolve(text: string, env: Record<string, string>, flags: ModelFlags = {}) {
  using folder = temporaryFolder();
  return resolveModel(load(folder, text), env, flags);
}

Deno.test("the Python tool's configuration works unchanged", () => {
  using folder = temporaryFolder();
  const config = load(folder, SEED);
  assert.equal(config.value.models?.length, 2);
  assert.equal(config.value.batch?.concurrency, 20);
  assert.equal(config.value.batch?.cache, true);
  assert.deepEqual(config.warnings, []);
});

Deno.test("the file is searched for in the documented order", () => {
  using folder = temporaryFolder();
  using home = temporaryFolder();
  const env: Record<string, string> = { FLEXLLM_HOME: home.path };
  const found = (named?: string) => loadConfig(env, folder.path, named).file;
  assert.equal(found(), undefined);
  const inHome = home.write("config.jsonc", "{}");
  assert.equal(found(), inHome);
  const yamlInHome = home.write("config.yaml", "");
  assert.equal(found(), yamlInHome);
  const local = folder.write("flexllm_config.yaml", "");
  assert.equal(found(), local);
  env.FLEXLLM_CONFIG = home.write("env.yaml", "");
  assert.equal(found(), env.FLEXLLM_CONFIG);
  const named = home.write("named.yaml", "");
  assert.equal(found(named), named);
  assert.throws(() => found("/no/such.yaml"), /such\.yaml \(--config\) does not exist/);
  env.FLEXLLM_CONFIG = "/no/env.yaml";
  assert.throws(() => found(), /env\.yaml \(FLEXLLM_CONFIG\) does not exist/);
});

Deno.test("a problem is reported with its position and the expected value", () => {
  const cases: [file: string, text: string, pattern: RegExp][] = [
    ["c.yaml", "modles: []\n", /c\.yaml:1:1: unknown field "modles": did you mean "models"\?/],
    ["c.yaml", "batch:\n  concurency: 3\n", /c\.yaml:2:3: .*did you mean "concurrency"\?/],
    [
      "c.yaml",
      "batch:\n  concurrency: many\n",
      /c\.yaml:2:16: batch\.concurrency: expected an integer ≥ 1, got "many"/,
    ],
    ["c.yaml", "batch:\n  concurrency: 0\n", /c\.yaml:2:16: .*expected an integer ≥ 1, got 0/],
    [
      "c.yaml",
      "models:\n  - id: a\n    base_urll: x\n",
      /c\.yaml:3:5: unknown field "base_urll": did you mean "base_url"/,
    ],
    [
      "c.yaml",
      "models:\n  - id: a\n    timeout: 1\n    temperature: 1\n",
      /c\.yaml:3:5: unknown field "timeout"[^]*c\.yaml:4:5: unknown field "temperature"/,
    ],
    ["c.yaml", "cache:\n  tll: 5\n", /c\.yaml:2:3: unknown field "tll": did you mean "ttl"\?/],
    ["c.yaml", "cache: 5\n", /c\.yaml:1:8: cache: expected true, false, or settings, got 5/],
    [
      "c.yaml",
      "cache:\n  store: mongo\n",
      /c\.yaml:2:10: cache\.store: expected one of .*, got "mongo"/,
    ],
    [
      "c.yaml",
      "templates:\n  a:\n    sytem: x\n",
      /unknown field "sytem": did you mean "system"/,
    ],
    ["c.yaml", "batch:\n  timeout: [1]\n", /batch\.timeout: expected a number, got a list/],
    ["c.yaml", "models:\n  - name: a\n", /c\.yaml:2:5: missing field "id" in models\[0\]/],
    [
      "c.yaml",
      "models:\n  - id: a\n    provider: opnai\n",
      /c\.yaml:3:15: models\[0\]\.provider: got "opnai", did you mean "openai"\?/,
    ],
    [
      "c.yaml",
      "default: gtp-4\nmodels:\n  - id: gpt-4\n",
      /c\.yaml:1:10: default: no model "gtp-4"/,
    ],
    ["c.yaml", "models: {\n", /c\.yaml:\d+:\d+: not valid YAML/],
    ["c.yaml", "- a\n- b\n", /c\.yaml:1:1: .*expected fields such as models and batch/],
    ["c.yaml", "default: a\ndefault: b\n", /c\.yaml:2:1: not valid YAML/],
    [
      "c.jsonc",
      '{\n  // why\n  "batch": { "timeout": -1 }\n}',
      /c\.jsonc:3:25: batch\.timeout: expected a number > 0, got -1/,
    ],
    ["c.jsonc", '{\n  "modles": []\n}', /c\.jsonc:2:3: unknown field "modles"/],
    ["c.json", '{ "models": [,] }', /c\.json:1:14: not valid JSON: value expected/],
  ];
  for (const [name, text, pattern] of cases) {
    using folder = temporaryFolder();
    const file = folder.write(name, text);
    assert.throws(() => loadConfig({}, folder.path, file), (error: Error & { code: string }) => {
      assert.equal(error.code, "configuration");
      assert.match(error.message, pattern);
      return true;
    }, text);
  }
});

Deno.test("a readable file with keys triggers a warning", () => {
  using folder = temporaryFolder();
  const text = "models:\n  - id: a\n    base_url: http://h/v1\n    api_key: sk-0123456789abcdef\n";
  assert.deepEqual(load(folder, text).warnings, []);
  chmodSync(folder.file("flexllm_config.yaml"), 0o644);
  const { warnings } = loadConfig({}, folder.path, undefined);
  assert.match(warnings.join(), /is readable by other users: chmod 600 .*flexllm_config\.yaml/);
  assert.ok(!warnings.join().includes("sk-0123"));
});

Deno.test("the default, the first or the named model is used", () => {
  assert.deepEqual(resolve(SEED, {}), {
    model: "gpt-4",
    provider: "openai",
    baseUrl: "https://api.openai.com/v1",
    apiKey: "your-api-key",
    api: undefined,
    extraBody: undefined,
    headers: {},
    prices: undefined,
  });
  assert.equal(resolve(SEED, {}, { model: "local-ollama" }).baseUrl, "http://localhost:11434/v1");
  assert.equal(resolve(SEED.replace(/default.*/, ""), {}).model, "gpt-4");
  const named = "models:\n  - {id: org/llama-70b, name: llama, base_url: 'http://h/v1'}\n";
  assert.equal(resolve(named, {}, { model: "llama" }).model, "org/llama-70b");
  assert.equal(resolve(named, {}, { model: "org/llama-70b" }).model, "org/llama-70b");
});

Deno.test("the environment overrides the file, and flags override both", () => {
  const env = {
    FLEXLLM_BASE_URL: "http://env/v1",
    OPENAI_BASE_URL: "http://other/v1",
    FLEXLLM_API_KEY: "env-key",
    FLEXLLM_MODEL: "env-model",
  };
  assert.deepEqual(resolve(SEED, env), {
    model: "env-model",
    provider: "auto",
    baseUrl: "http://env/v1",
    apiKey: "env-key",
    api: undefined,
    extraBody: undefined,
    headers: undefined,
    prices: undefined,
  });
  const flags = { model: "x", baseUrl: "http://flag/v1", apiKey: "flag-key" };
  const { model, baseUrl, apiKey } = resolve(SEED, env, flags);
  assert.deepEqual([model, baseUrl, apiKey], ["x", "http://flag/v1", "flag-key"]);
  // An entry that is selected by name is used unchanged.
  assert.equal(resolve(SEED, env, { model: "gpt-4" }).apiKey, "your-api-key");
});

Deno.test("a key is sent only to its own server", () => {
  const openai = { OPENAI_API_KEY: "openai-key" };
  const deepseek = "models:\n  - {id: d, base_url: 'https://api.deepseek.com'}\n";
  assert.equal(resolve(deepseek, openai).apiKey, undefined);
  assert.equal(resolve(deepseek, { ...openai, DEEPSEEK_API_KEY: "ds-key" }).apiKey, "ds-key");
  assert.equal(resolve(SEED, openai).apiKey, "openai-key");
  assert.equal(resolve(SEED, { FLEXLLM_BASE_URL: "http://elsewhere/v1" }).apiKey, undefined);
  assert.equal(resolve(SEED, {}, { baseUrl: "http://elsewhere/v1" }).apiKey, undefined);
  assert.equal(
    resolve(SEED, { ...openai, OPENAI_BASE_URL: "http://proxy/v1" }).apiKey,
    "openai-key",
  );
  assert.equal(resolve("", openai, { model: "m", baseUrl: "http://any/v1" }).apiKey, undefined);
  const ours = { ...openai, FLEXLLM_BASE_URL: "http://any/v1", FLEXLLM_MODEL: "m" };
  assert.equal(resolve("", ours).apiKey, undefined);
  assert.equal(resolve("", { ...ours, FLEXLLM_API_KEY: "own" }).apiKey, "own");
  const named = { ...openai, FLEXLLM_BASE_URL: "https://api.openai.com/v1/", FLEXLLM_MODEL: "m" };
  assert.equal(resolve("", named).apiKey, "openai-key");
});

Deno.test("Claude and Gemini need no base URL and get only their own keys", () => {
  const text =
    "models:\n  - {id: claude-opus-5, provider: claude}\n  - {id: g, provider: gemini}\n";
  const env = { OPENAI_API_KEY: "o", ANTHROPIC_API_KEY: "a", GEMINI_API_KEY: "g" };
  assert.equal(resolve(text, env).apiKey, "a");
  assert.equal(resolve(text, env, { model: "g" }).apiKey, "g");
  const elsewhere = { ...env, FLEXLLM_BASE_URL: "https://api.anthropic.com/v1" };
  assert.equal(resolve("", elsewhere, { model: "claude-opus-5" }).apiKey, "a");
});

Deno.test("a model called mock exists without any configuration", () => {
  assert.deepEqual(resolve("", {}, { model: "mock" }), { model: "mock", provider: "mock" });
  assert.deepEqual(resolve("default: mock\n", {}), { model: "mock", provider: "mock" });
  const real = resolve("", {}, { model: "mock", baseUrl: "http://127.0.0.1:8001/v1" });
  assert.equal(real.baseUrl, "http://127.0.0.1:8001/v1");
});

Deno.test("an OpenAI key and a model name are enough for OpenAI", () => {
  const { provider, apiKey } = resolve("", { OPENAI_API_KEY: "k" }, { model: "gpt-5.4" });
  assert.deepEqual([provider, apiKey], ["openai", "k"]);
});

Deno.test("an error about something missing suggests the next step", () => {
  const hintOf = (text: string, flags: ModelFlags) => {
    try {
      resolve(text, {}, flags);
    } catch (error) {
      return `${(error as Error).message} ${(error as { hint?: string }).hint}`;
    }
  };
  assert.match(hintOf("", {})!, /no model is configured .*-m mock.*FLEXLLM_BASE_URL/);
  assert.match(
    hintOf("", { baseUrl: "http://user:pass@h/v1?key=k" })!,
    /^no model is given for http:\/\/h\/v1 Set it with -m/,
  );
  assert.match(
    hintOf(SEED, { model: "gpt-9" })!,
    /"gpt-9" is not configured .*gpt-4, local-ollama, mock/,
  );
});

Deno.test("references to variables are expanded for the model in use only", () => {
  const text = "models:\n" +
    "  - {id: a, base_url: 'http://${HOST_A}/v1', api_key: '${KEY_A}'}\n" +
    "  - {id: b, base_url: 'http://b/v1', api_key: '${KEY_B}'}\n";
  const a = resolve(text, { HOST_A: "a.example", KEY_A: "secret" });
  assert.deepEqual([a.baseUrl, a.apiKey], ["http://a.example/v1", "secret"]);
  assert.throws(
    () => resolve(text, {}, { model: "b" }),
    /flexllm_config\.yaml:3:\d+: the environment variable KEY_B is not set/,
  );
});

Deno.test("a variable that is not sent does not have to be set", () => {
  const text = "models:\n" +
    "  - {id: a, base_url: 'http://a/v1', api_key: '${KEY_A}', headers: {x-team: '${TEAM}'}}\n";
  const elsewhere = resolve(text, { FLEXLLM_BASE_URL: "http://b/v1" });
  assert.deepEqual([elsewhere.baseUrl, elsewhere.apiKey], ["http://b/v1", undefined]);
  const own = resolve(text, { TEAM: "t" }, { model: "a", apiKey: "flag-key" });
  assert.deepEqual([own.apiKey, own.headers], ["flag-key", { "x-team": "t" }]);
  assert.throws(() => resolve(text, { TEAM: "t" }), /KEY_A is not set/);
  assert.throws(() => resolve(text, { KEY_A: "k" }), /TEAM is not set/);
});

Deno.test("a base URL without a scheme is reported with its position and a suggestion", () => {
  const text = "models:\n  - id: a\n    base_url: localhost:8000/v1\n";
  assert.throws(() => resolve(text, {}), (error: Error & { hint?: string }) => {
    assert.match(error.message, /yaml:3:15: base URL "localhost:8000\/v1" does not begin with/);
    assert.equal(error.hint, "Did you mean http://localhost:8000/v1?");
    return true;
  });
});

Deno.test("all configured prices apply, each at its own server", () => {
  using folder = temporaryFolder();
  const { value } = load(
    folder,
    `models:
  - {id: a, base_url: "http://\${HOST}/v1/", price: {input: 1, output: 2}}
  - {id: b, provider: deepseek, price: {input: 3, output: 4, cached_input: 1}}
  - {id: mock, provider: mock, price: {input: 5, output: 6, request: 0.5}}
  - {id: c, base_url: "\${NOT_SET}", price: {input: 7, output: 8}}
  - {id: d, base_url: "http://localhost/v1"}
`,
  );
  const rows = configuredPrices(value, { HOST: "localhost:1" });
  assert.deepEqual(rows.map(({ model, baseUrl, input }) => [model, baseUrl, input]), [
    ["a", "http://localhost:1/v1", 1],
    ["b", "https://api.deepseek.com", 3],
    ["mock", "http://mock.invalid/v1", 5],
  ]);
});

Deno.test("extra_body and the highest thinking levels are read from the file", () => {
  using folder = temporaryFolder();
  const text = `
models:
  - id: m
    base_url: http://h/v1
    extra_body: {chat_template_kwargs: {enable_thinking: false}, top_k: 20}
batch:
  thinking: xhigh
  extra_body: {user: a}
  endpoints:
    - base_url: http://h/v1
      model: m
      extra_body: {top_k: 5}
`;
  const config = load(folder, text);
  assert.deepEqual(resolveModel(config, {}, {}).extraBody, {
    chat_template_kwargs: { enable_thinking: false },
    top_k: 20,
  });
  // Fields for one server are not sent to another.
  const elsewhere = { baseUrl: "http://other/v1", model: "m" };
  assert.equal(resolveModel(config, {}, elsewhere).extraBody, undefined);
  assert.deepEqual(resolveEndpoint(config, {}, 0).extraBody, { top_k: 5 });
  assert.equal(config.value.batch?.thinking, "xhigh");
  assert.throws(
    () => load(folder, "batch:\n  thinking: extreme\n"),
    /expected true, false, minimal/,
  );
});
