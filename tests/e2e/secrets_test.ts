/** Keys are never printed or stored, wherever they come from. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { startMockServer } from "../../lib/mock/server.ts";
import { type Finished, flexllm } from "../support/cli.ts";
import { completion, httpAnswer, type RawServer, startRawServer } from "../support/raw_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const KEY = "sk-secret-0123456789-must-not-leak";

/** Answers prompts; for the prompt "fail", it echoes the whole request in an error. */
function startEcho(): Promise<RawServer> {
  return startRawServer((socket, { body, headers, path }) => {
    if (path.endsWith("/models")) {
      return void socket.write(httpAnswer(200, JSON.stringify({ data: [{ id: "m" }] })));
    }
    const shown = [...headers].map(([name, value]) => `${name}: ${value}`).join(" ");
    const fails = body.includes("fail") || !path.endsWith("/chat/completions");
    const error = JSON.stringify({ error: { message: shown, code: "bad" } });
    socket.write(fails ? httpAnswer(400, error) : httpAnswer(200, completion("Well.")));
  });
}

/** The files below a folder that contain the key. */
function filesWithKey(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const file = join(folder, name);
    return statSync(file).isFile() && readFileSync(file, "latin1").includes(KEY);
  });
}

interface Way {
  args: string[];
  env: Record<string, string>;
  /** The file that holds the key. */
  keptIn?: string;
}

function inFile(home: TemporaryFolder, model: string): Way {
  mkdirSync(home.file(".flexllm"));
  const file = ".flexllm/config.yaml";
  chmodSync(home.write(file, `models:\n  - {id: m, ${model}}\n`), 0o600);
  return { args: ["-m", "m"], env: {}, keptIn: file };
}

/** The ways to pass a key. */
const WAYS: Record<string, (server: RawServer, home: TemporaryFolder) => Way> = {
  "in the file": ({ baseUrl }, home) => inFile(home, `base_url: "${baseUrl}", api_key: ${KEY}`),
  "as a header in the file": ({ baseUrl }, home) =>
    inFile(home, `base_url: "${baseUrl}", headers: {x-token: "Bearer ${KEY}"}`),
  "stored in the key file": ({ baseUrl }, home) => {
    const way = inFile(home, `base_url: "${baseUrl}", api_key: "\${keys.work}"`);
    const keptIn = ".flexllm/keys.json";
    chmodSync(home.write(keptIn, `{"work": {"store": "file", "key": "${KEY}"}}`), 0o600);
    return { ...way, keptIn };
  },
  "in the environment": ({ baseUrl }) => ({
    args: [],
    env: { FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: KEY, FLEXLLM_MODEL: "m" },
  }),
  "as a flag": ({ baseUrl }) => ({
    args: ["-m", "m", "--base-url", baseUrl, "--api-key", KEY],
    env: {},
  }),
};

for (const [name, way] of Object.entries(WAYS)) {
  Deno.test(`a key ${name} is sent, but never shown or stored`, async () => {
    await using server = await startEcho();
    using home = temporaryFolder();
    const { args, env, keptIn } = way(server, home);
    home.write("in.jsonl", '{"q": "well"}\n{"q": "fail"}\n');
    const run = (command: string[], stdin?: string): Promise<Finished> =>
      flexllm(command, { cwd: home.path, env: { HOME: home.path, ...env }, stdin });
    const batch = ["batch", "in.jsonl", "--retry-times", "0", "--cache", "--verbose", ...args];
    const commands: [string[], stdin?: string][] = [
      [["ask", "well", "--verbose", ...args]],
      [["ask", "fail", "--verbose", ...args]],
      [["ask", "fail", "--json", "--no-stream", "--retry-times", "0", ...args]],
      [[...batch, "-o", "out.jsonl"]],
      [[...batch, "-o", "json.jsonl", "--json"]],
      [["chat", ...args], "well\nfail\n/retry\n"],
      [["models", "--json", "--verbose", ...args]],
      [["test", "--verbose", ...args]],
      [["credits", "--verbose", ...args]],
      [["list", "--json"]],
      [["list"]],
      [["keys"]],
      [["keys", "list", "--json"]],
      [["config", "show"]],
      [["config", "show", "--json"]],
      [["config", "check"]],
      [["cache", "info", "--json"]],
    ];
    for (const [command, stdin] of commands) {
      const { stdout, stderr } = await run(command, stdin);
      const shown = `${command.join(" ")}\n${stdout}\n${stderr}`;
      // The command's own input does not count.
      assert.ok(!(stdout + stderr).includes(KEY), shown);
      assert.ok(!(stdout + stderr).includes(KEY.slice(0, 14)), shown);
    }
    assert.ok(server.requests.some(({ headers }) => [...headers.values()].join().includes(KEY)));
    const files = readdirSync(home.path, { recursive: true, encoding: "utf8" });
    assert.ok(
      files.includes("out.jsonl") && files.some((file) => file.includes("cache")),
      `${files}`,
    );
    assert.ok(files.some((file) => file.includes("conversations")), `${files}`);
    assert.deepEqual(filesWithKey(home.path), keptIn === undefined ? [] : [keptIn]);
    // The failure is recorded without the key.
    assert.match(home.read("out.jsonl"), /\[key removed\]/);
  });
}

Deno.test("credentials in a base URL are rejected, a query is allowed, and neither is shown", async () => {
  using home = temporaryFolder();
  const once = ["hi", "--verbose", "--retry-times", "0"];
  const urls = [`http://user:${KEY}@127.0.0.1:1/v1`, `http://127.0.0.1:1/v1?key=${KEY}`];
  for (const url of urls) {
    const file = home.write("c.yaml", `models:\n  - {id: m, base_url: "${url}"}\n`);
    chmodSync(file, 0o600);
    const ways: [string[], Record<string, string>][] = [
      [["ask", ...once, "--base-url", url, "-m", "m"], {}],
      [["ask", ...once, "-m", "m"], { FLEXLLM_BASE_URL: url }],
      [["ask", ...once, "--config", file], {}],
      [["config", "show"], { FLEXLLM_BASE_URL: url }],
      [["config", "show", "--json", "--config", file], {}],
      [["config", "check", file], {}],
      [["list", "--config", file], {}],
      [["list", "--json", "--config", file], {}],
    ];
    for (const [args, env] of ways) {
      const { stdout, stderr, code } = await flexllm(args, { env });
      assert.ok(!`${stdout}${stderr}`.includes(KEY), `${args}: ${stdout}${stderr}`);
      // Nothing listens there.
      if (args[0] === "ask") assert.equal(code, url.includes("@") ? 1 : 3, stderr);
    }
  }
});

Deno.test("problems in a file are reported without the key next to them", async () => {
  using home = temporaryFolder();
  const files = {
    "a.yaml": `models:\n  - id: a\n    api_key: "${KEY}\n`,
    "b.yaml": `models:\n  - id: a\n    api_key: [${KEY}]\n`,
    "c.yaml": `models:\n  - id: a\n    apikey: ${KEY}\n`,
    "d.yaml": `models:\n  - id: a\n    api_key: ${KEY}: x\n`,
    "e.json": `{"models": [{"id": "a", "api_key": "${KEY}",, }]}`,
    "f.json": `{"models": [{"id": "a", "api_key": ${KEY}}]}`,
    "g.yaml": `models:\n  - id: a\n    headers: ${KEY}\n`,
    "i.yaml": `models: [${KEY}]\n`,
    "h.yaml": `models: [{id: a, base_url: http://h/v1, api_key: ${KEY}\u00a0}]\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = home.write(name, text);
    for (const args of [["config", "check", file], ["ask", "hi", "--verbose", "--config", file]]) {
      const { stdout, stderr } = await flexllm(args);
      assert.ok(!`${stdout}${stderr}`.includes(KEY), `${name}: ${stdout}${stderr}`);
    }
  }
});

Deno.test("a key sent unencrypted over the internet triggers one warning", async () => {
  const warnings = ({ stderr }: Finished) =>
    stderr.split("\n").filter((line) => line.includes("unencrypted"));
  const flags = ["--retry-times", "0", "--timeout", "20"];
  const ask = (url: string, key = KEY) =>
    flexllm(["ask", "hi", "-m", "m", "--base-url", url, "--api-key", key, ...flags]);
  assert.deepEqual(warnings(await ask("http://key.invalid/v1")), [
    "warning: the API key for key.invalid is sent unencrypted, readable by anyone on the network " +
    "path: use https",
  ]);
  assert.deepEqual(warnings(await ask("http://key.invalid/v1", "EMPTY")), []);
  assert.deepEqual(warnings(await ask("https://key.invalid/v1")), []);
  using home = temporaryFolder();
  const endpoint = (host: string, key: string) =>
    `{model: m, base_url: "${host}", api_key: ${key}}`;
  const file = home.write(
    "c.yaml",
    `batch:\n  endpoints:\n    - ${endpoint("http://key.invalid/v1", KEY)}\n` +
      `    - ${endpoint("http://key.invalid/v2", KEY)}\n    - ${endpoint("http://gpu1/v1", KEY)}\n`,
  );
  chmodSync(file, 0o600);
  const input = home.write("in.jsonl", '{"q": "hi"}\n');
  const args = ["batch", input, "-o", home.file("out.jsonl"), "--config", file, ...flags];
  assert.equal(warnings(await flexllm([...args, "--max-wait", "0"])).length, 1);
});

Deno.test("every command warns about a readable file with keys", async () => {
  using home = temporaryFolder();
  for (const secret of [`api_key: ${KEY}`, `headers: {authorization: "Bearer ${KEY}"}`]) {
    const file = home.write("c.yaml", `models: [{id: m, base_url: "http://h/v1", ${secret}}]\n`);
    chmodSync(file, 0o640);
    const open = await flexllm(["list", "--config", file]);
    assert.match(
      open.stderr,
      /^warning: .*c\.yaml contains API keys and is readable by other users: chmod/,
    );
    chmodSync(file, 0o600);
    assert.equal((await flexllm(["list", "--config", file])).stderr.includes("warning"), false);
  }
  const free = home.write(
    "free.yaml",
    'models: [{id: m, base_url: "http://h/v1", api_key: "${SOME_KEY}", ' +
      'headers: {authorization: "Bearer ${SOME_KEY}", anthropic-beta: context-1m-2026-01-01}}]\n',
  );
  chmodSync(free, 0o644);
  assert.equal((await flexllm(["list", "--config", free])).stderr.includes("read by"), false);
});

/** Whether something listens at `host` and `port`. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 20_000 });
    const end = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.on("connect", () => end(true));
    socket.on("error", () => end(false));
    socket.on("timeout", () => end(false));
  });
}

Deno.test({
  name: "by default, the mock listens on 127.0.0.1 only",
  // Only Linux routes all of 127.0.0.0/8 to itself.
  ignore: process.platform !== "linux",
  async fn() {
    await using mock = await startMockServer();
    assert.deepEqual(
      [await answers("127.0.0.1", mock.port), await answers("127.0.0.2", mock.port)],
      [true, false],
    );
    await using open = await startMockServer({ hostname: "0.0.0.0" });
    assert.equal(await answers("127.0.0.2", open.port), true);
  },
});
