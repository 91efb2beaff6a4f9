/** Completion in each shell. Shells that are not installed are skipped. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { commandEnv, commandLine, flexllm, start } from "../support/cli.ts";
import { KEYS, Pty } from "../support/pty.ts";
import { RedisServer, redisServer } from "../support/redis_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

/** Ctrl-U */
const CLEAR_LINE = "\x15";

const CONFIG = `models:
  - {id: "qwen3:8b", provider: mock}
  - {id: "qwen3:32b", provider: mock}
  - {id: m, name: my model, provider: mock}
`;

/** A home directory with configured models, and a folder `bin` with a flexllm command. */
function prepare(home: TemporaryFolder): { env: Record<string, string>; path: string } {
  home.write("flexllm_config.yaml", CONFIG);
  mkdirSync(home.file("bin"));
  const quoted = commandLine().map((part) => `'${part}'`).join(" ");
  home.write("bin/flexllm", `#!/bin/sh\nexec ${quoted} "$@"\n`);
  chmodSync(home.file("bin/flexllm"), 0o755);
  const path = `${home.file("bin")}:/usr/bin:/bin`;
  return { path, env: { ...commandEnv(), PATH: path, HOME: home.path, LANG: "C.UTF-8" } };
}

function isMissing(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit"], { env: { PATH: "/usr/bin:/bin" } }).status !== 0;
}

/** The output of `flexllm complete` for these words. */
async function complete(words: string[], env: Record<string, string> = {}): Promise<string[]> {
  const { code, stdout, stderr } = await flexllm(["complete", "--", ...words], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}

Deno.test({
  name: "complete offers the jobs at the Redis server, and nothing if it cannot be used",
  ignore: redisServer === undefined,
  async fn() {
    await using server = await RedisServer.start();
    using folder = temporaryFolder();
    const env = { FLEXLLM_REDIS_URL: server.url };
    const input = folder.write("in.txt", "one\ntwo\n");
    const batch = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock"];
    await using _batch = start([...batch, "--job", "nightly", "--workers-only"], { env });
    const deadline = Date.now() + 20_000;
    let offered = await complete(["worker", "--job", ""], env);
    while (offered.length < 2 && Date.now() < deadline) {
      offered = await complete(["worker", "--job", ""], env);
    }
    assert.deepEqual(offered, [`nightly\tmock, ${input}`, ":4"]);
    const closed = { FLEXLLM_REDIS_URL: "redis://127.0.0.1:1" };
    assert.deepEqual(await complete(["worker", "--job", ""], closed), [":4"]);
  },
});

Deno.test("complete offers commands, flags, values and models, and never fails", async () => {
  using home = temporaryFolder();
  const env = { FLEXLLM_CONFIG: home.write("c.yaml", CONFIG) };
  assert.deepEqual(await complete(["cha"]), [
    "chat\tchat with a model; conversations are saved",
    ":4",
  ]);
  assert.deepEqual(await complete(["ask", "-m", ""], env), [
    ...["qwen3:8b", "qwen3:32b", "my model\tm", "mock\tbuilt in", ":4"],
  ]);
  assert.deepEqual(await complete(["set-model", "qwen3:8"], env), ["qwen3:8b", ":4"]);
  assert.deepEqual(await complete(["chat", "--model=my"], env), ["my model\tm", ":4"]);
  assert.deepEqual(await complete(["completions", "z"]), ["zsh", ":4"]);
  assert.deepEqual(await complete(["batch", ""]), [":0"]);
  assert.deepEqual(await complete(["config", "p"]), [
    "path\tprint the path of the effective file",
    ":4",
  ]);
  const flags = (await complete(["chat", "-m", "m", "--m"])).map((line) => line.split("\t")[0]);
  assert.deepEqual(flags, ["--max-tokens", "--max-wait", ":4"]);
  const broken = { FLEXLLM_CONFIG: home.write("broken.yaml", "models: [") };
  assert.deepEqual(await complete(["ask", "-m", ""], broken), [":4"]);
  assert.deepEqual(await complete(["no-such-command", ""]), [":4"]);
  assert.deepEqual(await complete(["--no-color", "bat"]), [
    "batch\tsend every prompt in a file; rerun to resume",
    ":4",
  ]);
});

Deno.test("complete offers the flags of ask before and after a prompt without a command", async () => {
  using home = temporaryFolder();
  const env = { FLEXLLM_CONFIG: home.write("c.yaml", CONFIG) };
  assert.deepEqual(await complete(["-m", "qwen3:8"], env), ["qwen3:8b", ":4"]);
  assert.deepEqual(await complete(["What is", "-m", "qwen3:8"], env), ["qwen3:8b", ":4"]);
  assert.deepEqual(await complete(["--no-color", "-f", ""]), [":0"]);
  const names = async (...words: string[]) =>
    (await complete(words)).map((line) => line.split("\t")[0]);
  assert.deepEqual(await names("--v"), ["--version", "--var", "--verbose", ":4"]);
  assert.deepEqual(await names("--no-c"), ["--no-cache", "--no-color", ":4"]);
  assert.deepEqual(await complete(["-m", "mock", ""]), [":4"]);
});

Deno.test("every shell has a script", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { code, stdout } = await flexllm(["completions", shell]);
    assert.equal(code, 0);
    assert.match(stdout, /flexllm complete|complete -- /);
  }
  assert.equal((await flexllm(["completions", "csh"])).code, 1);
});

Deno.test({
  name: "bash completes names with colons and spaces",
  ignore: isMissing("bash"),
  fn() {
    using home = temporaryFolder();
    const { env } = prepare(home);
    const completed = (line: string, ...words: string[]) => {
      const script = `source <(flexllm completions bash)
        COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=("\${@:2}") COMP_CWORD=$(($# - 2))
        COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
        _flexllm; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const args = ["--norc", "-c", script, "bash", line, ...words];
      return spawnSync("bash", args, { env, cwd: home.path, encoding: "utf8" }).stdout.trimEnd();
    };
    assert.equal(completed("flexllm cha", "flexllm", "cha"), "chat");
    assert.equal(completed("flexllm set-model my", "flexllm", "set-model", "my"), "my\\ model");
    assert.equal(
      completed("flexllm ask -m qwen3:", "flexllm", "ask", "-m", "qwen3", ":", ""),
      "8b\n32b",
    );
    assert.equal(
      completed("flexllm ask --model=qwen3:3", "flexllm", "ask", "--model", "=", "qwen3", ":", "3"),
      "32b",
    );
  },
});

Deno.test({
  name: "fish completes names with colons and spaces",
  ignore: isMissing("fish"),
  fn() {
    using home = temporaryFolder();
    const { env } = prepare(home);
    const completed = (line: string) => {
      const script = "flexllm completions fish | source; complete -C $argv[1]";
      const args = ["--no-config", "-c", script, line];
      const { stdout } = spawnSync("fish", args, { env, cwd: home.path, encoding: "utf8" });
      return stdout.trimEnd().split("\n");
    };
    assert.deepEqual(completed("flexllm cha"), [
      "chat\tchat with a model; conversations are saved",
    ]);
    assert.deepEqual(completed("flexllm set-model q").toSorted(), ["qwen3:32b", "qwen3:8b"]);
    assert.deepEqual(completed("flexllm set-model my"), ["my model\tm"]);
  },
});

Deno.test({
  name: "zsh completes names with colons and spaces",
  ignore: isMissing("zsh"),
  async fn() {
    using home = temporaryFolder();
    const { env } = prepare(home);
    writeFileSync(home.file(".zshrc"), "PS1='%% '\nsource <(flexllm completions zsh)\n");
    await using pty = new Pty(["-i"], {
      home: home.path,
      program: ["zsh"],
      env: { ...env, ZDOTDIR: home.path },
    });
    const cases: [typed: string, shown: RegExp][] = [
      ["flexllm cha", /^% flexllm chat$/m],
      ["flexllm set-model my", /^% flexllm set-model my\\ model$/m],
      ["flexllm ask -m qwen3:3", /^% flexllm ask -m qwen3:32b$/m],
      ["flexllm ask --model=qwen3:8", /^% flexllm ask --model=qwen3:8b$/m],
      ["flexllm set-model ", /my model +-- m\n.*mock +-- built in\nqwen3:8b +qwen3:32b/],
    ];
    for (const [typed, shown] of cases) {
      await pty.shows(/^%$/m);
      pty.type(typed, KEYS.tab);
      await pty.shows(shown);
      pty.type(CLEAR_LINE);
    }
  },
});
