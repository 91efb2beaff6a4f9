/** `flexllm set-model`, at a terminal and without one. */
import assert from "node:assert/strict";
import { chmodSync, lstatSync, statSync, symlinkSync } from "node:fs";
import { flexllm } from "../support/cli.ts";
import { KEYS, Pty } from "../support/pty.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const FILE = `# Mine.
default:   "gpt-4"   # the best

models:
  - id: gpt-4
    api_key: sk-0123456789abcdef   # secret
  # at home
  - {id: "qwen3:8b",  name: local}
`;

/** Runs set-model on a file with the given content. */
async function setModel(text: string, args: string[], env: Record<string, string> = {}) {
  using folder = temporaryFolder();
  const file = folder.write("c.yaml", text);
  chmodSync(file, 0o600);
  const finished = await flexllm(["set-model", ...args, "--config", file], { env });
  return { ...finished, file, text: folder.read("c.yaml") };
}

Deno.test("set-model changes only the default", async () => {
  const { code, stdout, stderr, text, file } = await setModel(FILE, ["local"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(stdout, `The default model is now local (${file}).\n`);
  assert.equal(text, FILE.replace('"gpt-4"', '"local"'));
  assert.equal((await setModel(FILE, ["qwen3:8b"])).text, FILE.replace('"gpt-4"', '"qwen3:8b"'));
  assert.equal((await setModel(FILE, ["mock"])).text, FILE.replace('"gpt-4"', '"mock"'));
});

Deno.test("set-model suggests the closest name and leaves the file unchanged", async () => {
  const near = await setModel(FILE, ["locale"]);
  assert.equal(near.code, 1);
  assert.match(near.stderr, /^error: no model "locale" in .*c\.yaml\nDid you mean local\?\n$/);
  const far = await setModel(FILE, ["something-else"]);
  assert.match(
    far.stderr,
    /Configured models: gpt-4, local, mock\. To add one, run `flexllm init`/,
  );
  assert.equal(far.text, FILE);
  const none = await flexllm(["set-model", "x"]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /there is no configuration file\nRun `flexllm init`/);
});

Deno.test("set-model notes a variable that overrides the file", async () => {
  const { code, stderr } = await setModel(FILE, ["local"], { FLEXLLM_MODEL: "gpt-5" });
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^FLEXLLM_MODEL is set and overrides it: gpt-5 is used until you unset it\.\n$/,
  );
});

Deno.test("set-model without a name and a terminal lists the names, with exit code 1", async () => {
  const { code, stdout, stderr, text } = await setModel(FILE, []);
  assert.deepEqual([code, stdout], [1, "gpt-4\nlocal\nmock\n"]);
  assert.match(stderr, /no terminal for prompts: run `flexllm set-model NAME`/);
  assert.equal(text, FILE);
});

Deno.test("set-model preserves a symlink and the permissions of its target", async () => {
  using folder = temporaryFolder();
  const file = folder.write("real.yaml", FILE);
  chmodSync(file, 0o640);
  symlinkSync(file, folder.file("c.yaml"));
  const { code } = await flexllm(["set-model", "local", "--config", folder.file("c.yaml")]);
  assert.equal(code, 0);
  assert.ok(lstatSync(folder.file("c.yaml")).isSymbolicLink());
  assert.equal(folder.read("real.yaml"), FILE.replace('"gpt-4"', '"local"'));
  assert.equal((statSync(file).mode & 0o777).toString(8), "640");
});

Deno.test("set-model prompts for a name; Ctrl-C and Ctrl-D change nothing", async () => {
  using home = temporaryFolder();
  const file = home.write("flexllm_config.yaml", FILE);
  chmodSync(file, 0o600);
  {
    await using pty = new Pty(["set-model"], { home: home.path, columns: 60, rows: 12 });
    await pty.shows(/● gpt-4/);
    await pty.resize(30, 8);
    pty.type(KEYS.down);
    await pty.shows(/● local\s+│\s+\(qwen3:8b\)/);
    pty.type(KEYS.ctrlC);
    assert.equal(await pty.exitCode(), 130);
    assert.equal(home.read("flexllm_config.yaml"), FILE);
  }
  {
    await using pty = new Pty(["set-model"], { home: home.path });
    await pty.shows(/● gpt-4/);
    pty.type(KEYS.down, KEYS.ctrlD);
    assert.equal(await pty.exitCode(), 130);
    assert.equal(home.read("flexllm_config.yaml"), FILE);
  }
  await using pty = new Pty(["set-model"], { home: home.path });
  await pty.shows(/● gpt-4/);
  pty.type(KEYS.down);
  await pty.shows(/● local/);
  pty.type(KEYS.enter);
  await pty.shows(/The default model is now local/);
  assert.equal(await pty.exitCode(), 0);
  assert.equal(home.read("flexllm_config.yaml"), FILE.replace('"gpt-4"', '"local"'));
});
