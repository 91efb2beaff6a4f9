/** `flexllm keys`: keys in the file and in the Secret Service, and how commands use them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import process from "node:process";
import { commandEnv, commandLine, flexllm } from "../support/cli.ts";
import { KEYS, Pty } from "../support/pty.ts";
import { completion, httpAnswer, type RawServer, startRawServer } from "../support/raw_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const KEY = "sk-secret-0123456789-wxyz";

function startServer(): Promise<RawServer> {
  return startRawServer((socket, { path }) => {
    const isList = path.endsWith("/models");
    socket.write(httpAnswer(200, isList ? '{"data":[{"id":"m"}]}' : completion("Well.")));
  });
}

/** A home with a configuration, and functions that run commands in it. */
function homeWith(config = "") {
  const home = temporaryFolder();
  mkdirSync(home.file(".flexllm"), { mode: 0o700 });
  if (config !== "") chmodSync(home.write(".flexllm/config.yaml", config), 0o600);
  const env = { HOME: home.path };
  const run = (args: string[], stdin = "", more: Record<string, string> = {}) =>
    flexllm(args, { stdin, env: { ...env, ...more } });
  return { ...home, run };
}

function authorizations({ requests }: RawServer): (string | undefined)[] {
  return requests.map(({ headers }) => headers.get("authorization"));
}

Deno.test("keys set reads stdin; the configuration refers to the key; list and remove work", async () => {
  await using server = await startServer();
  using home = homeWith(
    `models: [{id: m, base_url: "${server.baseUrl}", api_key: "\${keys.work}"}]\n`,
  );
  const early = await home.run(["ask", "hi"]);
  assert.equal(early.code, 1);
  assert.match(
    early.stderr,
    /config\.yaml:1:\d+: no key named "work" is stored\n.*keys set work\n/,
  );

  const path = home.file(".flexllm/keys.json");
  const set = await home.run(["keys", "set", "Work"], `${KEY}\r\n`);
  assert.deepEqual([set.code, set.stdout], [0, `Stored the key of work (…wxyz) in ${path}\n`]);
  assert.equal(set.stderr, 'Use it in the configuration: api_key: "${keys.work}"\n');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal((await home.run(["keys", "path"])).stdout, `${path}\n`);

  assert.equal((await home.run(["ask", "hi"])).code, 0);
  assert.deepEqual(authorizations(server), [`Bearer ${KEY}`]);
  const tested = JSON.parse((await home.run(["test", "--json"])).stdout);
  assert.equal(tested.key_source, "keys.work, in the key file");

  const list = await home.run(["keys"]);
  assert.match(
    list.stdout,
    /^name +key +stored in +used for\nwork +…wxyz +key file +\$\{keys\.work\}\n$/,
  );
  for (const args of [["config", "show"], ["list"], ["test"]]) {
    const { stdout } = await home.run(args);
    assert.match(stdout, /…wxyz.*keys\.work/, args.join(" "));
    assert.ok(!stdout.includes(KEY));
  }
  assert.match((await home.run(["keys", "set", "work"], "sk-other")).stdout, /^Replaced the key/);
  assert.equal((await home.run(["keys", "remove", "work"])).stdout, "Removed the key of work\n");
  const again = await home.run(["keys", "remove", "work"]);
  assert.deepEqual([again.code, again.stderr], [
    1,
    'error: no key named "work" is stored\nNo keys are stored.\n',
  ]);
  assert.deepEqual(JSON.parse((await home.run(["keys", "list", "--json"])).stdout), []);
});

Deno.test("keys of services are used by themselves, and variables override them", async () => {
  using home = homeWith(
    "default: a\nmodels: [{id: a, provider: groq}, {id: b, provider: claude}]\n",
  );
  const missing = await home.run(["ask", "hi"]);
  assert.deepEqual([missing.code, missing.stderr], [
    1,
    "error: there is no API key for api.groq.com\n" +
    "Store it with `flexllm keys set groq`, or set GROQ_API_KEY. " +
    "To try flexllm without a key, use -m mock.\n",
  ]);
  const { stderr } = await home.run(["keys", "set", "groq"], KEY, { GROQ_API_KEY: "g" });
  assert.match(stderr, /^It is used for groq \(https:\/\/api\.groq\.com\/openai\/v1\)/);
  assert.match(stderr, /warning: GROQ_API_KEY is set and takes precedence\n$/);
  await home.run(["keys", "set", "Claude"], KEY);
  const show = async (env: Record<string, string>) =>
    JSON.parse((await home.run(["config", "show", "--json"], "", env)).stdout).settings.api_key;
  assert.deepEqual(await show({}), { value: "…wxyz", source: "keys.groq, in the key file" });
  assert.equal((await show({ GROQ_API_KEY: "g" })).source, "GROQ_API_KEY");
  const listed = JSON.parse(
    (await home.run(["keys", "list", "--json"], "", { GROQ_API_KEY: "g" })).stdout,
  );
  assert.deepEqual(listed, [
    { name: "anthropic", key: "…wxyz", store: "file", overridden_by: null },
    { name: "groq", key: "…wxyz", store: "file", overridden_by: "GROQ_API_KEY" },
  ]);
});

Deno.test("a batch without a key sends nothing and leaves no result file", async () => {
  using home = homeWith("batch: {endpoints: [{provider: deepseek, model: m}]}\n");
  const input = home.write("in.jsonl", '{"prompt": "hi"}\n');
  const output = home.file("out.jsonl");
  const { code, stderr } = await home.run(["batch", input, "-o", output]);
  assert.equal(code, 1);
  assert.match(stderr, /config\.yaml:1:21: there is no API key for api\.deepseek\.com\n/);
  assert.equal(existsSync(output), false);
  // An estimate sends nothing.
  assert.equal((await home.run(["batch", input, "--estimate"])).code, 0);
});

Deno.test("a key among the arguments is refused and never repeated", async () => {
  using home = homeWith();
  for (const args of [["openai", KEY], [KEY], ["work", "--store", "file", KEY]]) {
    const { code, stdout, stderr } = await home.run(["keys", "set", ...args], KEY);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /history of your shell/);
    assert.ok(!stderr.includes(KEY));
  }
  assert.equal(existsSync(home.file(".flexllm/keys.json")), false);
});

Deno.test("malformed keys and names are refused, and nothing is stored", async () => {
  using home = homeWith();
  const cases: [name: string, stdin: string, problem: RegExp][] = [
    ["openai", "", /The key is empty/],
    ["openai", "sk-a\nsk-b\n", /got 2 lines/],
    ["openai", "sk-a b", /is a space/],
    ["openai", "sk-…", /"…" \(U\+2026\)/],
    ["OPENAI_API_KEY", KEY, /a variable of openai\n.*keys set openai/],
    ["a/b", KEY, /cannot be the name of a key/],
  ];
  for (const [name, stdin, problem] of cases) {
    const { code, stderr } = await home.run(["keys", "set", name], stdin);
    assert.equal(code, 1);
    assert.match(stderr, problem);
  }
  const { code, stderr } = await home.run(["keys", "set", "a", "--store", "keychain"], KEY);
  assert.equal(code, 1);
  assert.match(stderr, /no keychain on this system\n.*secret-tool[^]*--store file/);
  assert.equal(existsSync(home.file(".flexllm/keys.json")), false);
  const similar = await home.run(["keys", "set", "opnai"], KEY);
  assert.match(similar.stderr, /warning: opnai is not a known service; did you mean openai\?/);
});

Deno.test("a key file that is open to others is refused by every command that would use it", async () => {
  using home = homeWith("models: [{id: a, provider: groq}]\n");
  await home.run(["keys", "set", "groq"], KEY);
  chmodSync(home.file(".flexllm/keys.json"), 0o644);
  for (const args of [["ask", "hi"], ["keys"], ["keys", "remove", "groq"], ["list"]]) {
    const { code, stderr } = await home.run(args);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, /open to other users \(mode 644\)\nMake it private: chmod 600 /);
  }
});

Deno.test("keys set prompts on a terminal without showing the key", async () => {
  using home = homeWith();
  await using pty = new Pty(["keys", "set", "openai"], { home: home.path });
  await pty.shows(/Key of openai\?/);
  pty.type("sk secret", KEYS.enter);
  await pty.shows(/character 3 is a space/);
  pty.type("\x15", KEY, KEYS.enter);
  await pty.shows(/Stored the key of openai/);
  assert.equal(await pty.exitCode(), 0);
  assert.ok(!pty.output.includes(KEY));
  assert.equal(JSON.parse(home.read(".flexllm/keys.json")).openai.key, KEY);
});

/** A `secret-tool` that stores secrets in files next to it, and logs its arguments. */
const FAKE_TOOL = `#!/bin/sh
cd "\${0%/*}"
echo "$*" >> log
verb=$1
for name; do :; done
[ -e locked ] && case $verb in
  store) cat > /dev/null; echo "secret-tool: Cannot create an item in a locked collection" >&2; exit 1;;
  search) [ -e "secret-$name" ] && echo "attribute.account = $name" >&2; exit 0;;
  *) exit 1;;
esac
case $verb in
  store) cat > "secret-$name";;
  lookup) [ -e "secret-$name" ] && cat "secret-$name";;
  search) [ -e "secret-$name" ] && echo "attribute.account = $name" >&2; exit 0;;
  clear) rm "secret-$name" 2> /dev/null;;
esac
`;

function withFakeTool(home: TemporaryFolder) {
  mkdirSync(home.file("bin"));
  chmodSync(home.write("bin/secret-tool", FAKE_TOOL), 0o700);
  const env = { PATH: `${home.file("bin")}:/usr/bin:/bin`, DBUS_SESSION_BUS_ADDRESS: "unix:none" };
  return { env, log: () => home.read("bin/log") };
}

Deno.test({
  name: "a keychain is opened once, and only for a key that is sent",
  ignore: process.platform !== "linux",
  async fn() {
    await using server = await startServer();
    const endpoint = `{base_url: "${server.baseUrl}", model: m, api_key: "\${keys.work}"}`;
    using home = homeWith(
      `models: [{id: m, base_url: "${server.baseUrl}", api_key: "\${keys.work}"}]\n` +
        `batch: {endpoints: [${endpoint}, ${endpoint}]}\n`,
    );
    const { env, log } = withFakeTool(home);
    const set = await home.run(["keys", "set", "work"], KEY, env);
    assert.equal(set.stdout, "Stored the key of work (…wxyz) in the keyring\n");
    assert.ok(!home.read(".flexllm/keys.json").includes(KEY));
    const lookups = () => log().split("\n").filter((line) => line.startsWith("lookup")).length;
    const atFirst = lookups();
    for (const args of [["keys"], ["list"], ["config", "check"], ["ask", "-m", "mock", "hi"]]) {
      assert.equal((await home.run(args, "", env)).code, 0);
    }
    assert.equal(lookups(), atFirst);
    const input = home.write("in.jsonl", '{"prompt": "a"}\n{"prompt": "b"}\n');
    const batch = await home.run(["batch", input, "-o", home.file("out.jsonl")], "", env);
    assert.equal(batch.code, 0, batch.stderr);
    assert.equal(lookups(), atFirst + 1);
    assert.deepEqual(new Set(authorizations(server)), new Set([`Bearer ${KEY}`]));
    assert.ok(!log().includes(KEY), "keys are no arguments");
  },
});

Deno.test({
  name: "a locked, emptied or unreachable keychain is explained",
  ignore: process.platform !== "linux",
  async fn() {
    using home = homeWith("models: [{id: a, provider: groq}]\n");
    const { env } = withFakeTool(home);
    await home.run(["keys", "set", "groq"], KEY, env);
    const { DBUS_SESSION_BUS_ADDRESS: _, ...withoutBus } = env;
    const away = await home.run(["ask", "hi"], "", withoutBus);
    assert.equal(away.code, 1);
    assert.match(
      away.stderr,
      /"groq" is in a keychain, which cannot be reached[^]*--store file\n$/,
    );

    home.write("bin/locked", "");
    const locked = await home.run(["ask", "hi"], "", env);
    assert.equal(locked.code, 1);
    assert.match(locked.stderr, /cannot read the key "groq": the keyring is locked\nUnlock it/);
    const forced = await home.run(["keys", "set", "groq", "--store", "keychain"], KEY, env);
    assert.equal(forced.code, 1);
    assert.match(forced.stderr, /cannot store the key "groq": the keyring is locked/);
    const fallback = await home.run(["keys", "set", "xai"], KEY, env);
    assert.equal(fallback.code, 0);
    assert.match(fallback.stderr, /the keyring is locked; the key is stored in a file instead/);
    assert.equal(JSON.parse(home.read(".flexllm/keys.json")).xai.key, KEY);

    chmodSync(home.write("bin/secret-tool", "#!/bin/sh\nexit 1\n"), 0o700);
    const emptied = await home.run(["ask", "hi"], "", env);
    assert.match(emptied.stderr, /the key "groq" is no longer in the keyring\n.*keys set groq\n/);
  },
});

function isMissing(program: string): boolean {
  return !["/usr/bin", "/bin"].some((folder) => existsSync(`${folder}/${program}`));
}

const SECRET_SERVICE = ["dbus-run-session", "gnome-keyring-daemon", "secret-tool", "dbus-send"];

Deno.test({
  name: "keys are stored in GNOME Keyring, and read until it is locked",
  ignore: SECRET_SERVICE.some(isMissing),
  fn() {
    using home = temporaryFolder();
    mkdirSync(home.file("run"), { mode: 0o700 });
    const script = `
      printf '\\n' | gnome-keyring-daemon --unlock --components=secrets > /dev/null
      run() { "$@"; echo "exit $?"; }
      printf '%s' "$KEY" | run "$@" keys set work
      secret-tool lookup service flexllm account work; echo
      run "$@" keys list --json
      run "$@" ask -m m hi --verbose
      dbus-send --session --print-reply --dest=org.freedesktop.secrets \\
        /org/freedesktop/secrets org.freedesktop.Secret.Service.Lock \\
        array:objpath:/org/freedesktop/secrets/collection/login > /dev/null
      run "$@" ask -m m hi
      printf '\\n' | gnome-keyring-daemon --unlock --components=secrets > /dev/null
      run "$@" keys remove work
      secret-tool lookup service flexllm account work || echo gone`;
    home.write(
      "config.yaml",
      'models: [{id: m, base_url: "http://127.0.0.1:1/v1", api_key: "${keys.work}"}]\n',
    );
    const { stdout, stderr, error } = spawnSync(
      "dbus-run-session",
      ["--", "sh", "-c", script, "sh", ...commandLine()],
      {
        encoding: "utf8",
        timeout: 300_000,
        env: {
          ...commandEnv(),
          PATH: "/usr/bin:/bin",
          HOME: home.path,
          XDG_RUNTIME_DIR: home.file("run"),
          FLEXLLM_CONFIG: home.file("config.yaml"),
          NO_COLOR: "1",
          KEY,
        },
      },
    );
    assert.equal(error, undefined);
    const shown = `${stdout}\n${stderr}`;
    assert.match(stdout, /^Stored the key of work \(…wxyz\) in the keyring\nexit 0\n/, shown);
    assert.ok(stdout.includes(`exit 0\n${KEY}\n`), shown);
    assert.match(stdout, /"store":"keychain","overridden_by":null\}\]\nexit 0\n/, shown);
    assert.match(stderr, /key …wxyz from keys\.work, in the keychain\n/, shown);
    assert.match(stderr, /cannot read the key "work": the keyring is locked\n/, shown);
    assert.ok(stdout.endsWith("Removed the key of work\nexit 0\ngone\n"), shown);
    assert.ok(!home.read(".flexllm/keys.json").includes(KEY));
  },
});
