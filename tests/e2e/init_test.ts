/** `flexllm init`, at a terminal and without one. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { startMockServer } from "../../lib/mock/server.ts";
import { flexllm } from "../support/cli.ts";
import { KEYS, Pty } from "../support/pty.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const KEY = "sk-test-0123456789abcdef";

function permissions(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function withConfig(home: TemporaryFolder, text: string): string {
  mkdirSync(home.file(".flexllm"));
  writeFileSync(home.file(".flexllm/config.yaml"), text, { mode: 0o600 });
  return ".flexllm/config.yaml";
}

/** Answers the prompts up to the key, for a server that is not listed. */
async function answerUpToKey(pty: Pty, baseUrl: string, key: string): Promise<void> {
  await pty.shows(/Which provider/);
  pty.type("another");
  await pty.shows(/● another/);
  pty.type(KEYS.enter);
  await pty.shows(/Base URL of the server/);
  pty.type(baseUrl, KEYS.enter);
  await pty.shows(/API key\?/);
  pty.type(key, KEYS.enter);
}

Deno.test("init sets up a working model in an empty home directory", async () => {
  using home = temporaryFolder();
  await using server = await startMockServer({ port: 0, models: ["alpha", "beta"] });
  await using pty = new Pty(["init"], { home: home.path });
  await answerUpToKey(pty, server.baseUrl, KEY);
  await pty.shows(/Which model.*[^]*● alpha/);
  pty.type("et");
  await pty.shows(/● beta/);
  pty.type(KEYS.enter);
  await pty.shows(/Where should the key be stored\?\s+│\s+● in \S+keys\.json/);
  pty.type(KEYS.enter);
  await pty.shows(/Next: flexllm ask/);
  assert.equal(await pty.exitCode(), 0);

  const screen = await pty.screen();
  assert.match(screen, /connection ok[^]*authentication ok[^]*answer ok[^]*streaming ok/);
  assert.ok(!pty.output.includes(KEY), "the key is never shown");
  const text = home.read(".flexllm/config.yaml");
  assert.match(text, /^default: beta$/m);
  assert.match(
    text,
    new RegExp(
      `- id: beta\n    name: beta\n    base_url: ${server.baseUrl}\n    api_key: \\$\\{keys.local\\}\n`,
    ),
  );
  assert.equal(permissions(home.file(".flexllm")), "700");
  assert.equal(permissions(home.file(".flexllm/config.yaml")), "600");
  assert.equal(JSON.parse(home.read(".flexllm/keys.json")).local.key, KEY);
  assert.equal(permissions(home.file(".flexllm/keys.json")), "600");

  const env = { HOME: home.path };
  assert.equal((await flexllm(["config", "check"], { env })).code, 0);
  const tested = await flexllm(["test"], { env });
  assert.deepEqual([tested.code, tested.stderr], [0, ""]);
  assert.equal((await flexllm(["ask", "hi"], { env })).code, 0);
});

Deno.test("Ctrl-C and Ctrl-D at any prompt of init leave no files behind", async () => {
  await using server = await startMockServer({ port: 0 });
  const moments: ((pty: Pty) => Promise<unknown>)[] = [
    (pty) => pty.shows(/Which provider/),
    async (pty) => {
      await pty.shows(/Which provider/);
      pty.type(KEYS.up, KEYS.up, KEYS.enter);
      await pty.shows(/Base URL of the server/);
    },
    async (pty) => {
      await answerUpToKey(pty, server.baseUrl, KEY);
      await pty.shows(/Which model/);
    },
    async (pty) => {
      await answerUpToKey(pty, server.baseUrl, KEY);
      await pty.shows(/Which model/);
      pty.type(KEYS.enter);
      await pty.shows(/Where should the key be stored/);
    },
  ];
  for (const reach of moments) {
    for (const key of [KEYS.ctrlC, KEYS.ctrlD]) {
      using home = temporaryFolder();
      await using pty = new Pty(["init"], { home: home.path });
      await reach(pty);
      pty.type(key);
      assert.equal(await pty.exitCode(), 130);
      assert.match(await pty.screen(), /^cancelled; nothing was changed$/m);
      assert.equal(existsSync(home.file(".flexllm")), false);
    }
  }
});

Deno.test("init completes a URL without http:// and without /v1", async () => {
  using home = temporaryFolder();
  await using server = await startRawServer((socket, { path }) => {
    if (!path.startsWith("/v1/")) socket.write(httpAnswer(404, '{"detail":"Not Found"}'));
    else if (path === "/v1/models") socket.write(httpAnswer(200, '{"data":[{"id":"m1"}]}'));
    else socket.write(httpAnswer(200, completion("OK")));
  });
  const { host } = new URL(server.baseUrl);
  await using pty = new Pty(["init"], { home: home.path });
  await answerUpToKey(pty, host, "");
  await pty.shows(/Found the models at http:\/\/\S+\/v1: using that base URL\.[^]*● m1/);
  pty.type(KEYS.enter);
  await pty.shows(/answer ok[^]*Created /);
  assert.match(home.read(".flexllm/config.yaml"), new RegExp(`base_url: http://${host}/v1\n`));
});

Deno.test("init reports an unreachable server immediately and prompts again", async () => {
  using home = temporaryFolder();
  const { baseUrl } = await startRawServer(() => {}).then(async (server) => {
    await server[Symbol.asyncDispose]();
    return server;
  });
  await using pty = new Pty(["init"], { home: home.path });
  await answerUpToKey(pty, baseUrl, "");
  await pty.shows(
    /refused[^]*Start the server, or fix the port[^]*● answer the questions again/,
  );
  assert.doesNotMatch(await pty.screen(), /Which model/);
  pty.type(KEYS.enter);
  await pty.shows(/answer the questions again\s+│\s+◆ +Which provider/);
});

Deno.test("there are no prompts on a dumb terminal", async () => {
  using home = temporaryFolder();
  const env = { TERM: "dumb" };
  await using pty = new Pty(["init"], { home: home.path, env });
  assert.equal(await pty.exitCode(), 1);
  assert.match(await pty.screen(), /cannot show prompts: the terminal is too simple[^]*--yes/);
  withConfig(home, "models: [{id: a, provider: mock}]\n");
  await using choosing = new Pty(["set-model"], { home: home.path, env });
  assert.equal(await choosing.exitCode(), 1);
  assert.match(await choosing.screen(), /with one of these names\na\nmock/);
});

Deno.test("init handles a resize, and trims a pasted key", async () => {
  using home = temporaryFolder();
  await using server = await startMockServer({ port: 0, models: ["alpha"] });
  await using pty = new Pty(["init"], { home: home.path, columns: 100, rows: 30 });
  await pty.shows(/Which provider/);
  await pty.resize(44, 14);
  pty.type(KEYS.up, KEYS.up);
  await pty.shows(/● another/);
  await pty.resize(90, 40);
  pty.type(KEYS.enter);
  await pty.shows(/Base URL of the server/);
  pty.type(`${server.baseUrl}\r`);
  await pty.shows(/API key\?/);
  assert.ok(!pty.output.includes("\x1b[?2004h"), "no terminal puts brackets around what is pasted");
  // Pasted at once, with the whitespace that copying from a web page adds.
  pty.type(`  ${KEY} \r`);
  await pty.shows(/● alpha/);
  pty.type(KEYS.enter);
  await pty.shows(/Where should the key be stored/);
  pty.type(KEYS.up);
  await pty.shows(/● in the configuration file/);
  pty.type(KEYS.enter);
  await pty.shows(/Next: flexllm ask/);
  assert.equal(await pty.exitCode(), 0);
  assert.match(home.read(".flexllm/config.yaml"), new RegExp(`api_key: ${KEY}\n`));
  assert.equal(existsSync(home.file(".flexllm/keys.json")), false);
});

Deno.test("init prompts for the key again if the server rejects it", async () => {
  using home = temporaryFolder();
  await using server = await startRawServer((socket, { path, headers }) => {
    const isRight = headers.get("authorization") === `Bearer ${KEY}`;
    const models = '{"data":[{"id":"m1"}]}';
    if (!isRight) socket.write(httpAnswer(401, '{"error":{"message":"bad key"}}'));
    else socket.write(httpAnswer(200, path.endsWith("/models") ? models : "{}"));
  });
  await using pty = new Pty(["init"], { home: home.path });
  await answerUpToKey(pty, server.baseUrl, "sk-wrong-key-0123456789");
  await pty.shows(/The server rejected the key: .*bad key/);
  await pty.shows(/rejected the key[^]*API key\?/);
  pty.type(KEY, KEYS.enter);
  await pty.shows(/● m1/);
  pty.type(KEYS.enter);
  await pty.shows(/It does not work yet[^]*answer the questions again/);
  pty.type(KEYS.down, KEYS.down);
  await pty.shows(/● quit without saving/);
  pty.type(KEYS.enter);
  assert.equal(await pty.exitCode(), 130);
  assert.equal(existsSync(home.file(".flexllm")), false);
});

Deno.test("init writes a reference to a key in the environment, not the key", async () => {
  using home = temporaryFolder();
  await using server = await startMockServer({ port: 0, models: ["alpha"] });
  const args = ["init", "--provider", "openai", "--base-url", server.baseUrl];
  await using pty = new Pty([...args, "--api-key-env", "TEAM_KEY"], {
    home: home.path,
    env: { TEAM_KEY: KEY },
  });
  await pty.shows(/● alpha/);
  pty.type(KEYS.enter);
  await pty.shows(/Next: flexllm ask/);
  assert.equal(await pty.exitCode(), 0);
  const text = home.read(".flexllm/config.yaml");
  assert.match(text, /api_key: \$\{TEAM_KEY\}\n/);
  assert.ok(!text.includes(KEY));
});

Deno.test("init adds to an existing file, preserving comments, or leaves it unchanged", async () => {
  const before =
    "# mine\ndefault: old # the old one\nmodels:\n  # first\n  - {id: old, provider: mock}\n";
  using home = temporaryFolder();
  const path = withConfig(home, before);
  {
    await using pty = new Pty(["init"], { home: home.path });
    await pty.shows(/config\.yaml already exists/);
    pty.type(KEYS.up);
    await pty.shows(/● leave it unchanged/);
    pty.type(KEYS.enter);
    assert.equal(await pty.exitCode(), 130);
    assert.equal(home.read(path), before);
  }
  await using pty = new Pty(["init"], { home: home.path });
  await pty.shows(/● add a model to it/);
  pty.type(KEYS.enter);
  await pty.shows(/Which provider/);
  pty.type(KEYS.up);
  await pty.shows(/● mock/);
  pty.type(KEYS.enter);
  await pty.shows(/Make mock the default instead of old\?/);
  pty.type("n");
  assert.equal(await pty.exitCode(), 0);
  assert.equal(home.read(path), `${before}  - id: mock\n    name: mock\n    provider: mock\n`);
});

Deno.test("init saves the old file before it replaces it", async () => {
  using home = temporaryFolder();
  const path = withConfig(home, "models: []\n");
  await using pty = new Pty(["init", "--provider", "mock"], { home: home.path });
  await pty.shows(/● add a model to it/);
  pty.type(KEYS.down);
  await pty.shows(/● replace it/);
  pty.type(KEYS.enter);
  assert.equal(await pty.exitCode(), 0);
  assert.equal(home.read(`${path}.old`), "models: []\n");
  assert.match(home.read(path), /^default: mock$/m);
});

Deno.test("init without a terminal shows no prompts and suggests --yes", async () => {
  using home = temporaryFolder();
  const { code, stderr } = await flexllm(["init"], { env: { HOME: home.path } });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: `flexllm init` cannot show prompts: there is no terminal\nAdd --yes /,
  );
  assert.deepEqual(readdirSync(home.path), []);
});

Deno.test("init --yes writes a valid commented template and never overwrites a file", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  const first = await flexllm(["init", "--yes"], { env });
  const path = home.file(".flexllm/config.yaml");
  assert.deepEqual([first.code, first.stdout], [0, `Created ${path}\n`]);
  assert.match(first.stderr, /The key is read from OPENAI_API_KEY, .*\nNext: flexllm test\n$/);
  assert.equal(permissions(path), "600");
  const checked = await flexllm(["config", "check"], { env: { ...env, OPENAI_API_KEY: KEY } });
  assert.deepEqual([checked.code, checked.stderr], [0, ""]);

  const second = await flexllm(["init", "--yes"], { env });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /already exists; not changed/);

  const flags = ["--provider", "deepseek", "--model", "deepseek-chat"];
  const added = await flexllm(["init", "--yes", ...flags], { env });
  assert.deepEqual([added.code, added.stdout], [0, `Added deepseek-chat to ${path}\n`]);
  assert.match(added.stderr, /DEEPSEEK_API_KEY, which is not set yet/);
  const again = await flexllm(["init", "--yes", ...flags], { env });
  assert.match(again.stderr, /already has a model called "deepseek-chat"/);
  const listed = JSON.parse((await flexllm(["list", "--json"], { env })).stdout);
  assert.deepEqual(
    listed.models.map((model: { name: string }) => model.name),
    ["gpt-5.4-mini", "deepseek-chat"],
  );
});

Deno.test("init rejects incomplete flags", async () => {
  const cases: [string[], RegExp][] = [
    [["--provider", "openai"], /--model is missing/],
    [["--model", "m"], /--provider or --base-url is missing/],
    [["--provider", "nobody"], /Allowed choices are/],
    [["--base-url", "localhost:1", "--model", "m"], /does not begin with http/],
    [
      ["--api-key-env", "sk-abc-def", "--model", "m"],
      /expected the name of an environment variable/,
    ],
    [["--api-key-env", "KEY"], /--api-key-env requires/],
  ];
  for (const [args, pattern] of cases) {
    const { code, stderr } = await flexllm(["init", "--yes", ...args]);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, pattern);
  }
});

Deno.test("init needs no key for a local server of a known service", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  const args = ["init", "--yes", "--provider", "ollama", "--model", "llama"];
  const { code, stderr } = await flexllm(args, { env });
  assert.deepEqual([code, stderr], [0, "Next: flexllm test\n"]);
  assert.doesNotMatch(home.read(".flexllm/config.yaml"), /OLLAMA_API_KEY/);

  await using pty = new Pty(["init", "--provider", "ollama"], { home: home.path });
  await pty.shows(/● add a model/);
  pty.type(KEYS.enter);
  await pty.shows(/http:\/\/localhost:11434\/v1/);
  pty.type(KEYS.enter);
  await pty.shows(/API key\? \(not shown; leave empty for none\)/);
});

Deno.test("init shows which key variable to set next", async () => {
  using home = temporaryFolder();
  await using pty = new Pty(["init"], { home: home.path, columns: 60 });
  await pty.shows(/Which provider/);
  pty.type("deeps");
  await pty.shows(/● deepseek/);
  pty.type(KEYS.enter);
  await pty.shows(/API key\?/);
  pty.type(KEYS.enter);
  await pty.shows(/DEEPSEEK_API_KEY is not set, so the model cannot be\s+│\s+tested yet/);
  await pty.shows(/Which model/);
  pty.type("deepseek-chat", KEYS.enter);
  await pty.shows(
    /└ {2}Next: flexllm keys set deepseek \(or export\n {3}DEEPSEEK_API_KEY=…\), then flexllm ask/,
  );
  assert.equal(await pty.exitCode(), 0);
});

Deno.test("init offers a stored key, and keeps it where it is", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  await flexllm(["keys", "set", "deepseek"], { env, stdin: KEY });
  await using pty = new Pty(["init", "--provider", "deepseek"], { home: home.path });
  await pty.shows(/Which key\?\s+│\s+● the stored one \(…cdef\)/);
  pty.type(KEYS.ctrlC);
  assert.equal(await pty.exitCode(), 130);

  const flags = ["--provider", "deepseek", "--model", "m"];
  const added = await flexllm(["init", "--yes", ...flags], { env });
  assert.deepEqual([added.code, added.stderr], [0, "Next: flexllm test\n"]);
  const listed = JSON.parse((await flexllm(["list", "--json"], { env })).stdout);
  assert.deepEqual(listed.models[0].key, { state: "set", stored: "deepseek", masked: "…cdef" });
});
