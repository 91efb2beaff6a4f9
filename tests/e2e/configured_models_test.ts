/** `list`, `models`, `config` and `credits`. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { startMockServer } from "../../lib/mock/server.ts";
import { flexllm } from "../support/cli.ts";
import { Pty } from "../support/pty.ts";
import { httpAnswer, startRawServer } from "../support/raw_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const SECRET = "sk-0123456789abcdefghij";

function configure(folder: TemporaryFolder, text: string): string {
  const file = folder.write("c.yaml", text);
  chmodSync(file, 0o600);
  return file;
}

const FILE = `default: best
models:
  - {id: gpt-5.4-mini, name: best, provider: openai, base_url: "https://api.openai.com/v1", api_key: "${SECRET}"}
  - {id: claude-x, provider: claude}
  - {id: qwen3, name: local, base_url: "http://u:${SECRET}@gpu1:8000/v1"}
  - {id: m, base_url: "http://h/v1", api_key: "\${TEAM_KEY}"}
batch:
  concurrency: 20
`;

Deno.test("list shows the server and key state of each model, never the key", async () => {
  using folder = temporaryFolder();
  const file = configure(folder, FILE);
  const env = { FLEXLLM_CONFIG: file, TEAM_KEY: "team-0123456789xyz" };
  const { code, stdout, stderr } = await flexllm(["list"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(stdout.split("\n").map((line) => line.trim().split(/ {2,}/)), [
    ["name", "id", "provider", "base URL", "key"],
    ["*", "best", "gpt-5.4-mini", "openai", "https://api.openai.com/v1", "…ghij in the file"],
    [
      "claude-x",
      "claude-x",
      "claude",
      "https://api.anthropic.com/v1",
      "missing: set ANTHROPIC_API_KEY",
    ],
    ["local", "qwen3", "auto", "http://gpu1:8000/v1", "none"],
    ["m", "m", "auto", "http://h/v1", "…9xyz from TEAM_KEY"],
    [""],
    [`Default: best (${file}:1:10)`],
    [""],
  ]);
  const json = (await flexllm(["list", "--json"], { env })).stdout;
  assert.ok(!json.includes(SECRET) && !stdout.includes(SECRET));
  const { models, default: chosen, config } = JSON.parse(json);
  assert.deepEqual([config, chosen], [file, { name: "best", source: `${file}:1:10` }]);
  assert.deepEqual(models[3].key, { state: "set", variable: "TEAM_KEY", masked: "…9xyz" });
});

Deno.test("list shows which variables override the file", async () => {
  using folder = temporaryFolder();
  const env = {
    FLEXLLM_CONFIG: configure(folder, FILE),
    FLEXLLM_MODEL: "local",
    FLEXLLM_BASE_URL: `http://x:${SECRET}@proxy/v1`,
  };
  const { stdout } = await flexllm(["list"], { env });
  assert.match(stdout, /\n\* {2}local /);
  assert.match(
    stdout,
    /Default: local \(FLEXLLM_MODEL\)\nFLEXLLM_MODEL overrides "best" in the file\./,
  );
  assert.match(stdout, /Its server is http:\/\/proxy\/v1 \(FLEXLLM_BASE_URL\)\./);
  assert.ok(!stdout.includes(SECRET));
});

Deno.test("list, models and test without a configuration suggest init", async () => {
  for (const command of ["list", "models", "test", "credits"]) {
    const { code, stdout, stderr } = await flexllm([command]);
    assert.deepEqual([code, stdout], [1, ""], command);
    assert.match(stderr, /^error: no model is configured.*\nRun `flexllm init`/);
  }
});

Deno.test("a table fits the terminal, and has colors only there", async () => {
  using home = temporaryFolder();
  const wide = "a-model-with-a-name-that-is-much-longer-than-any-terminal-is-wide".repeat(2);
  writeFileSync(
    home.file("flexllm_config.yaml"),
    `models:\n  - {id: ${wide}, base_url: "http://h/v1"}\n  - {id: 模型名字很长很长很长很长很长, base_url: "http://h/v1"}\n`,
  );
  const show = async (args: string[], env: Record<string, string> = {}) => {
    await using pty = new Pty(args, { home: home.path, columns: 60, env });
    assert.equal(await pty.exitCode(), 0);
    return { screen: await pty.screen(), output: pty.output };
  };
  const { screen, output } = await show(["list"]);
  const [head, first, second] = screen.split("\n");
  assert.match(head, /^ +name +id +provider +base URL +key$/);
  assert.match(first, /^\* {2}a-model.*… {2}a-model.*… {2}auto/);
  assert.match(second, /^ +模型.*…/);
  assert.equal(screen.split("\n")[3], "", "no line is broken");
  // deno-lint-ignore no-control-regex
  const color = /\x1b\[\d*m/;
  assert.match(output, color);
  assert.doesNotMatch((await show(["list", "--no-color"])).output, color);
  assert.doesNotMatch((await show(["--no-color", "list"], { FORCE_COLOR: "1" })).output, color);
  assert.doesNotMatch((await show(["list"], { NO_COLOR: "1" })).output, color);
  const piped = await flexllm(["list"], { cwd: home.path });
  assert.ok(piped.stdout.includes(wide), "nothing is cut in a pipe");
});

Deno.test("models lists the server's models sorted and filtered, with context sizes", async () => {
  const body = {
    data: [
      { id: "b/two", context_length: 131072 },
      { id: "a/One\x1b[31m", context_length: 8192 },
      { id: "c/three" },
    ],
  };
  await using server = await startRawServer((socket, { path }) => {
    const known = path === "/v1/models";
    socket.write(httpAnswer(known ? 200 : 404, JSON.stringify(known ? body : {})));
  });
  const args = ["models", "--base-url", server.baseUrl, "--api-key", SECRET];
  const all = await flexllm(args);
  assert.equal(all.code, 0);
  assert.deepEqual(all.stdout.split("\n").map((line) => line.split(/ {2,}/)), [
    ["id", "context"],
    ["a/One␛[31m", "8,192"],
    ["b/two", "131,072"],
    ["c/three"],
    [""],
  ]);
  assert.match(all.stderr, /^3 models/);
  assert.equal(server.requests[0].headers.get("authorization"), `Bearer ${SECRET}`);
  const some = await flexllm([...args, "ONE", "--json"]);
  assert.deepEqual(JSON.parse(some.stdout), [{ id: "a/One\x1b[31m", context_window: 8192 }]);
  const none = await flexllm([...args, "gpt"]);
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^No model matches "gpt" \(3 models in total\)\.\n$/);
});

Deno.test("models explains a server that lists no models", async () => {
  await using server = await startRawServer((socket, { number }) =>
    socket.write(
      number === 0
        ? httpAnswer(404, '{"detail":"Not Found"}')
        : httpAnswer(200, number === 1 ? '{"data":[]}' : '{"data":[{"id":"only"}]}'),
    )
  );
  const ask = () => flexllm(["models", "--base-url", server.baseUrl]);
  const none = await ask();
  assert.equal(none.code, 3);
  assert.match(
    none.stderr,
    /404: Not Found\nCheck the base URL, .*Some servers cannot list models: /,
  );
  assert.doesNotMatch(none.stderr, /model's name/);
  const empty = await ask();
  assert.deepEqual([empty.code, empty.stderr], [1, "The server lists no models.\n"]);
  assert.match(
    (await ask()).stderr,
    /^1 model; to add one to the configuration, run `flexllm init`/,
  );
});

Deno.test("models needs no model with a server from the environment", async () => {
  await using server = await startMockServer({ port: 0, models: ["x", "y"] });
  const env = { FLEXLLM_BASE_URL: server.baseUrl };
  const { code, stdout } = await flexllm(["models", "--json"], { env });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), [{ id: "x" }, { id: "y" }]);
});

Deno.test("config shows each setting with its source", async () => {
  using folder = temporaryFolder();
  const file = configure(folder, FILE);
  const env = { FLEXLLM_CONFIG: file, FLEXLLM_API_KEY: "env-0123456789qrst" };
  const { code, stdout } = await flexllm(["config"], { env });
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^Configuration: ${file} \\(FLEXLLM_CONFIG\\)\n\nsetting`));
  assert.match(stdout, /\nmodel +best +line 1:10\nid +gpt-5\.4-mini +line 3:10\n/);
  assert.match(stdout, /\napi_key +…qrst +FLEXLLM_API_KEY\n/);
  assert.match(stdout, /\nbatch\.concurrency +20 +line 8:16\n[^]*batch\.retry_times +3 +default\n/);
  const json = (await flexllm(["config", "show", "--json"], { env })).stdout;
  assert.ok(!json.includes(SECRET) && !stdout.includes(SECRET));
  const { settings, content } = JSON.parse(json);
  assert.deepEqual(settings["batch.concurrency"], { value: 20, source: `${file}:8:16` });
  assert.equal(content.models[0].api_key, "…ghij");
  const none = await flexllm(["config", "show"]);
  assert.match(none.stdout, /^No configuration file; run `flexllm init` to create one\./);
});

const WITH_ENDPOINTS = `cache: {ttl: 60}
templates: {translate: "{{input}}"}
batch:
  endpoints:
    - {base_url: "http://127.0.0.1:9/v1", model: qwen3, weight: 2, max_qps: 10}
    - {provider: claude, model: claude-x, api_key: "\${TEAM_KEY}"}
`;

Deno.test("config show lists the cache, endpoints and templates", async () => {
  using folder = temporaryFolder();
  const args = ["config", "show", "--config", configure(folder, WITH_ENDPOINTS)];
  const { stdout } = await flexllm(args);
  assert.match(
    stdout,
    /\ncache +true +line 1:8\ncache\.ttl +60 +line 1:14\ncache\.store +\w+ +default\n/,
  );
  assert.match(
    stdout,
    /\nbatch\.endpoints\[0\] +qwen3 at http:\/\/127\.0\.0\.1:9\/v1, weight 2, max 10 requests\/s +line 5:7\n/,
  );
  assert.match(stdout, /\nbatch\.endpoints\[1\] +claude-x at provider claude +line 6:7\n/);
  assert.match(stdout, /\ntemplates +translate +line 2:12\n/);
  const env = { FLEXLLM_BASE_URL: "http://elsewhere/v1" };
  const elsewhere = await flexllm(args, { env });
  assert.match(
    elsewhere.stdout,
    /\nbatch\.endpoints +2 in the file, not used +FLEXLLM_BASE_URL\n/,
  );
});

Deno.test("config show lists the settings of the gateway, without its secrets", async () => {
  using folder = temporaryFolder();
  const text = `models: [{id: a, provider: mock}]
serve:
  port: 9000
  admin_key: operators-secret-0001
  drain: null
  routes: {big: a, two: [a, mock]}
  teams: {research: {rpm: 5}}
  cache: {path: "https://user:hidden@kv.example/db?token=hidden"}
`;
  const args = ["config", "show", "--config", configure(folder, text)];
  const { stdout } = await flexllm(args);
  assert.match(stdout, /\nserve\.port +9000 +line 3:9\n/);
  assert.match(stdout, /\nserve\.admin_key +…0001 +line 4:14\n/);
  assert.match(stdout, /\nserve\.routes\.two +\["a","mock"\] +line 6:25\n/);
  assert.match(stdout, /\nserve\.teams\.research +\{"rpm":5\} +line 7:21\n/);
  assert.doesNotMatch(stdout, /serve\.drain/);
  const env = { FLEXLLM_ADMIN_KEY: "another-secret-0002" };
  const json = (await flexllm([...args, "--json"], { env })).stdout;
  assert.deepEqual(JSON.parse(json).settings["serve.admin_key"], {
    value: "…0002",
    source: "FLEXLLM_ADMIN_KEY",
  });
  assert.doesNotMatch(stdout + json, /hidden|-secret-/);
});

Deno.test("list and test include batch endpoints; other commands do not use them", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const text = WITH_ENDPOINTS.replace("http://127.0.0.1:9/v1", mock.baseUrl);
  const env = { FLEXLLM_CONFIG: configure(folder, text) };
  const list = await flexllm(["list"], { env });
  assert.match(
    list.stdout,
    /^Batch endpoints:\nmodel .*\nqwen3 +auto +http.*\nclaude-x .*missing: set TEAM_KEY\n$/,
  );
  assert.equal(JSON.parse((await flexllm(["list", "--json"], { env })).stdout).endpoints.length, 2);
  const tested = await flexllm(["test", "--all"], { env });
  assert.equal(tested.code, 3);
  assert.match(tested.stdout, /\nqwen3 +http.* s +ok +\d/);
  assert.match(tested.stdout, /TEAM_KEY is not set\n[^]*1 of 2 models work\.\n$/);
  const ask = await flexllm(["ask", "Hi"], { env });
  assert.equal(ask.code, 1);
  assert.match(
    ask.stderr,
    /^error: no model is configured, only batch\.endpoints\n`flexllm batch`/,
  );
  const named = await flexllm(["batch", "-o", folder.file("o.jsonl"), "-m", "qwen3"], { env });
  assert.match(
    named.stderr,
    /"qwen3" is the model of a batch endpoint, not listed in models\nOmit -m/,
  );
});

Deno.test("a server from the environment replaces the endpoints, with a warning", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const env = {
    FLEXLLM_CONFIG: configure(folder, WITH_ENDPOINTS),
    FLEXLLM_BASE_URL: mock.baseUrl,
    FLEXLLM_MODEL: "any",
  };
  const args = ["batch", "-o", folder.file("o.jsonl")];
  const { code, stderr } = await flexllm(args, { env, stdin: '{"q":"Hi"}\n' });
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /^warning: using the server from FLEXLLM_BASE_URL instead of the configured batch endpoints/,
  );
  assert.deepEqual(mock.requests.map(({ model }) => model), ["any"]);
});

Deno.test("config show shows the key that would be sent", async () => {
  using folder = temporaryFolder();
  const config = configure(
    folder,
    `models: [{id: m, provider: openai, api_key: "${SECRET}"}, {id: n, provider: openai}]\n`,
  );
  const key = async (env: Record<string, string>) => {
    const { stdout } = await flexllm(["config", "show", "--config", config, "--json"], { env });
    const { value, source } = JSON.parse(stdout).settings.api_key;
    return `${value} ${source.replace(config, "file")}`;
  };
  const openai = { OPENAI_API_KEY: "sk-openai-0123456789" };
  const elsewhere = { FLEXLLM_BASE_URL: "http://elsewhere/v1" };
  assert.equal(await key({}), "…ghij file:1:45");
  assert.equal(await key(openai), "…6789 OPENAI_API_KEY");
  assert.equal(await key({ ...openai, ...elsewhere }), "none default");
  assert.equal(await key({ FLEXLLM_MODEL: "n" }), "none default");
  assert.equal(await key({ ...openai, FLEXLLM_MODEL: "n" }), "…6789 OPENAI_API_KEY");
});

Deno.test("config path prints the file, or where it was searched for", async () => {
  using folder = temporaryFolder();
  const file = folder.write("flexllm_config.yaml", "");
  const found = await flexllm(["config", "path"], { cwd: folder.path });
  assert.deepEqual([found.code, found.stdout], [0, `${file}\n`]);
  const none = await flexllm(["config", "path"]);
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(
    none.stderr,
    /Searched .*flexllm_config\.yaml.*config\.json\.\nRun `flexllm init`/,
  );
});

Deno.test("config check reports all problems, with line and column", async () => {
  using folder = temporaryFolder();
  const bad = folder.write("bad.yaml", "defualt: x\nmodels:\n  - {id: 5}\n  - {name: y}\n");
  const { code, stdout, stderr } = await flexllm(["config", "check", bad]);
  assert.deepEqual([code, stdout], [1, ""]);
  const lines = stderr.split("\n").map((line) => line.replace(bad, "F"));
  assert.deepEqual(lines, [
    'error: F:1:1: unknown field "defualt": did you mean "default"?',
    "error: F:3:10: models[0].id: expected a string, got 5",
    'error: F:4:5: missing field "id" in models[1]',
    "Found 3 problems. To fix: `flexllm config edit F`",
    "",
  ]);
  // The effective file needs no name.
  const env = { FLEXLLM_CONFIG: bad };
  const found = await flexllm(["config", "check"], { env });
  assert.match(found.stderr, /To fix: `flexllm config edit`\n$/);
  assert.match((await flexllm(["ask", "hi"], { env })).stderr, /Fix it with `flexllm config edit`/);
  const named = await flexllm(["ask", "hi", "--config", bad]);
  assert.ok(named.stderr.includes(`Fix it with \`flexllm config edit ${bad}\``), named.stderr);
  const json = await flexllm(["config", "check", bad, "--json"]);
  assert.equal(json.code, 1);
  assert.equal(JSON.parse(json.stdout).problems.length, 3);

  const mixed = folder.write(
    "mixed.yaml",
    "default: z\nmodels:\n  - {id: a, base_url: 'host:1/v1'}\n  - {id: a}\nbatch: {concurency: 5}\n",
  );
  const all = JSON.parse((await flexllm(["config", "check", mixed, "--json"])).stdout).problems;
  assert.deepEqual(all.map((problem: string) => problem.replace(/^.*yaml:(\d+).*$/s, "$1")), [
    ...["1", "3", "4", "5"],
  ]);
  const token = folder.write("kv.yaml", "cache: {path: 'https://kv.example/x'}\n");
  const remote = await flexllm(["config", "check", token]);
  assert.equal(remote.code, 1);
  assert.match(remote.stderr, /needs (an access token|Deno KV)/);
  assert.match((await flexllm(["config", "show", "--config", token])).stdout, /not available here/);

  const good = folder.write(
    "good.yaml",
    "models:\n  - {id: a, provider: groq, api_key: '${NOT_SET}'}\n",
  );
  const warned = await flexllm(["config", "check", good]);
  assert.deepEqual([warned.code, warned.stdout], [0, `${good} is valid.\n`]);
  assert.match(
    warned.stderr,
    /^warning: .*good\.yaml:2:38: the environment variable NOT_SET is not set\n$/,
  );
});

Deno.test("config edit requires a terminal or an editor", async () => {
  using folder = temporaryFolder();
  const file = folder.write("c.yaml", "models: []\n");
  const { code, stdout, stderr } = await flexllm(["config", "edit", "--config", file]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(
    stderr,
    /^error: cannot edit .*c\.yaml: there is no terminal\nSet VISUAL or EDITOR/,
  );
});

Deno.test("config edit runs the configured editor, then checks the file", async () => {
  using folder = temporaryFolder();
  const file = configure(folder, "models: []\n");
  const editor = folder.write("my editor", '#!/bin/sh\nprintf "%s" "$1" > "$2"\n');
  chmodSync(editor, 0o755);
  const edit = (content: string, more: Record<string, string> = {}) =>
    flexllm(["config", "edit", "--config", file], {
      env: { PATH: "/usr/bin:/bin", EDITOR: "false", VISUAL: `'${editor}' '${content}'`, ...more },
    });
  const good = await edit("default: mock");
  assert.deepEqual([good.code, good.stdout, good.stderr], [0, `${file} is valid.\n`, ""]);
  assert.equal(folder.read("c.yaml"), "default: mock");
  const other = folder.write("other.yaml", "models: [\n");
  const named = await flexllm(["config", "edit", other], {
    env: { PATH: "/usr/bin:/bin", VISUAL: `'${editor}' 'default: mock'` },
  });
  assert.deepEqual([named.code, named.stdout], [0, `${other} is valid.\n`]);
  assert.equal(folder.read("other.yaml"), "default: mock");
  const bad = await edit("default: [");
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /c\.yaml:1:\d+: not valid YAML/);
  const failed = await edit("", { VISUAL: "" });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /the editor false failed \(exit code 1\)\n$/);
  const absent = await edit("", { VISUAL: "no-such-editor" });
  assert.match(absent.stderr, /failed \(exit code 127\)\nSet VISUAL or EDITOR to an editor/);
});

Deno.test("credits queries the model's service at the configured base URL", async () => {
  const balance =
    '{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"1234.5","granted_balance":"0.00","topped_up_balance":"1234.5"},{"currency":"CNY","total_balance":"8.00","granted_balance":"8.00","topped_up_balance":"0.00"}]}';
  await using server = await startRawServer((socket, { path }) => {
    socket.write(path === "/user/balance" ? httpAnswer(200, balance) : httpAnswer(404, "{}"));
  });
  using folder = temporaryFolder();
  const models = [
    `{id: a, provider: deepseek, base_url: "${server.baseUrl}", api_key: ${SECRET}}`,
    `{id: b, base_url: "${server.baseUrl}", api_key: ${SECRET}}`,
    "{id: c, provider: claude, api_key: sk-ant-0123456789}",
  ];
  const file = configure(folder, `models:\n${models.map((model) => `  - ${model}\n`).join("")}`);
  const env = { FLEXLLM_CONFIG: file };
  const { code, stdout, stderr } = await flexllm(["credits"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(stdout.split("\n").map((line) => line.trim().split(/ {2,}/)), [
    ["deepseek, key …ghij"],
    ["left on the account", "$1,234.50"],
    ["left on the account", "8.00 CNY"],
    ["of it granted", "$0.00"],
    ["of it granted", "8.00 CNY"],
    ["of it topped up", "$1,234.50"],
    ["of it topped up", "0.00 CNY"],
    [""],
  ]);
  assert.equal(server.requests[0].headers.get("authorization"), `Bearer ${SECRET}`);
  const json = JSON.parse((await flexllm(["credits", "-m", "a", "--json"], { env })).stdout);
  assert.deepEqual(json.remaining[1], { label: "left on the account", amount: 8, currency: "CNY" });

  const unknown = await flexllm(["credits", "-m", "b"], { env });
  assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
  assert.match(
    unknown.stderr,
    /127\.0\.0\.1:\d+ has no balance API that flexllm knows\nflexllm can query openrouter/,
  );
  const claude = await flexllm(["credits", "-m", "c"], { env });
  assert.equal(claude.code, 1);
  assert.match(
    claude.stderr,
    /claude has no balance API\nSee console\.anthropic/,
  );
});

Deno.test("config check finds what ask and batch would reject", async () => {
  using folder = temporaryFolder();
  const cases: [text: string, problem: RegExp][] = [
    ["models: [{id: m}]", /c\.yaml:1:10: the model "m" has no base_url/],
    ["models: [{id: m, provider: azure}]", /c\.yaml:1:10: /],
    [
      'models: [{id: m, base_url: "http://h/v1", headers: {"bad name": x}}]',
      /c\.yaml:1:10: .*bad name/,
    ],
    [
      'models: [{id: m, base_url: "http://h/v1", api_key: "schlüssel-123"}]',
      /c\.yaml:1:10: .*API key/,
    ],
    ['models: [{id: m, base_url: "${URL_OF_IT}"}]', /c\.yaml:1:\d+: .*junk/],
    ['batch: {endpoints: [{base_url: "http://h/v1"}]}', /c\.yaml:1:21: the endpoint has no model/],
    ["batch: {timeout: 1e10}", /c\.yaml:1:8: timeout: expected seconds/],
    ["batch: {endpoints: [{model: m}]}", /c\.yaml:1:21: the endpoint has no base_url/],
  ];
  for (const [text, problem] of cases) {
    const file = configure(folder, text);
    const { code, stderr } = await flexllm(["config", "check", file], {
      env: { URL_OF_IT: "junk" },
    });
    assert.equal(code, 1, `${text}: ${stderr}`);
    assert.match(stderr, problem);
    assert.match(stderr, /^Found 1 problem\. /m);
  }
  const fine = configure(folder, 'models: [{id: m, base_url: "http://h/v1", api_key: "${UNSET}"}]');
  const { code, stderr } = await flexllm(["config", "check", fine]);
  assert.match(`${code} ${stderr}`, /^0 warning: .*UNSET is not set/);
});
