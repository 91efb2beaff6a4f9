/** Keys in the file, and the commands of the keychains. */
import assert from "node:assert/strict";
import { chmodSync, readdirSync, statSync } from "node:fs";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import { vaultScript } from "../../lib/keys/credential_locker.ts";
import { findKey, listKeys, readKey, removeKey, storeKey } from "../../lib/keys/key_store.ts";
import { runKeychainCommand, shellCommand } from "../../lib/keys/keychain_command.ts";
import { storingLine } from "../../lib/keys/macos_keychain.ts";
import { secretService } from "../../lib/keys/secret_service.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const KEY = "sk-secret-0123456789abcd";

function envOf({ path }: TemporaryFolder) {
  return { FLEXLLM_HOME: path };
}

/** The error that `action` throws. */
async function errorOf(action: () => unknown): Promise<ConfigurationError> {
  try {
    await action();
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error;
  }
  throw new Error("expected an error");
}

Deno.test("keys are stored in a private file, listed masked, read and removed", async () => {
  using folder = temporaryFolder();
  const env = envOf(folder);
  assert.deepEqual([listKeys(env), readKey(env, "work")], [[], undefined]);
  assert.deepEqual(await storeKey(env, "work", "sk-old", "file"), {
    store: "file",
    replaced: false,
    keychainError: undefined,
  });
  assert.equal((await storeKey(env, "work", KEY, "file")).replaced, true);
  await storeKey(env, "a", "short", "file");
  assert.equal(statSync(folder.file("keys.json")).mode & 0o777, 0o600);
  assert.deepEqual(listKeys(env), [
    { name: "a", store: "file", shown: "…" },
    { name: "work", store: "file", shown: "…abcd" },
  ]);
  assert.equal(readKey(env, "work"), KEY);
  assert.equal(findKey(env, "other"), undefined);
  assert.deepEqual([await removeKey(env, "work"), await removeKey(env, "work")], [true, false]);
  assert.deepEqual(listKeys(env).map(({ name }) => name), ["a"]);
});

Deno.test("a key file that others can use, or that is malformed, is refused and left alone", async () => {
  using folder = temporaryFolder();
  const env = envOf(folder);
  await storeKey(env, "work", KEY, "file");
  const path = folder.file("keys.json");
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode);
    for (const use of [() => readKey(env, "work"), () => storeKey(env, "b", KEY, "file")]) {
      const { message, hint } = await errorOf(use);
      assert.match(message, new RegExp(`keys\\.json .* \\(mode ${mode.toString(8)}\\)$`));
      assert.match(hint ?? "", /chmod 600 .*keys\.json\n.*replace the keys/);
    }
  }
  const malformed: [text: string, problem: RegExp][] = [
    [`{"work": {"store": "file", "key": "${KEY}"`, /keys\.json:1:\d+: not valid JSON/],
    [`[\n"${KEY}"]`, /keys\.json:1:1: expected an object/],
    [`{\n  "work": "${KEY}"}`, /keys\.json:2:11: expected \{"store": "file"/],
    [`{"w k": {"store": "file", "key": "${KEY}"}}`, /keys\.json:1:2: expected a name/],
    [`{"work": {"store": "cloud", "key": "${KEY}"}}`, /keys\.json:1:10: expected/],
  ];
  for (const [text, problem] of malformed) {
    chmodSync(folder.write("keys.json", text), 0o600);
    for (const use of [() => readKey(env, "work"), () => storeKey(env, "b", KEY, "file")]) {
      const { message, hint } = await errorOf(use);
      assert.match(message, problem);
      assert.doesNotMatch(`${message} ${hint}`, /sk-secret/);
    }
    assert.equal(folder.read("keys.json"), text);
  }
});

Deno.test("keys that are stored and removed at the same time are all kept", async () => {
  using folder = temporaryFolder();
  const env = envOf(folder);
  const names = Array.from({ length: 8 }, (_, i) => `key${i}`);
  await Promise.all(names.map((name) => storeKey(env, name, KEY, "file")));
  assert.deepEqual(listKeys(env).map(({ name }) => name), names);
  await Promise.all([removeKey(env, "key3"), storeKey(env, "z", KEY, "file")]);
  assert.deepEqual([findKey(env, "key3"), findKey(env, "z")?.name], [undefined, "z"]);
  assert.deepEqual(readdirSync(folder.path), ["keys.json"]);
});

Deno.test("a keychain that does not respond ends with an error", async () => {
  const { message, hint } = await errorOf(() =>
    runKeychainCommand(
      { ...shellCommand("exec sleep 600", []), title: "the keyring", hint: "Unlock it." },
      0.2,
    )
  );
  assert.deepEqual([message, hint], ["the keyring did not respond within 0.2 s", "Unlock it."]);
});

Deno.test("keys reach the shell's command through stdin only", () => {
  const command = { ...shellCommand('printf "%s|" "$@"; cat', ["a b", "$HOME", "'"]), hint: "" };
  const result = runKeychainCommand({ ...command, input: KEY, title: "x" });
  assert.deepEqual(result, { status: 0, stdout: `a b|$HOME|'|${KEY}`, stderr: "" });
});

Deno.test("there is no Secret Service without secret-tool or a D-Bus session", () => {
  using folder = temporaryFolder();
  const PATH = folder.path;
  chmodSync(folder.write("secret-tool", "#!/bin/sh\n"), 0o700);
  assert.equal(secretService({ PATH }, "flexllm"), undefined);
  assert.equal(secretService({ PATH, XDG_RUNTIME_DIR: folder.path }, "flexllm"), undefined);
  folder.write("bus", "");
  const env = { PATH, XDG_RUNTIME_DIR: folder.path };
  assert.equal(secretService(env, "flexllm")?.title, "the keyring");
});

Deno.test("the line for macOS' security is read back word by word", () => {
  const key = `a'b"c\\d$e`;
  const line = storingLine("flexllm", "work", key);
  // Its quoting is that of a shell.
  const script = `add-generic-password() { printf '%s\\n' "$@"; }; ${line}`;
  if (process.platform === "win32") return;
  const words = execFileSync("/bin/bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
  assert.deepEqual(words, [
    ...["-U", "-s", "flexllm", "-a", "work", "-l", "flexllm: work", "-w", key],
  ]);
});

Deno.test("the script for Windows is one line, since PowerShell reads stdin line by line", () => {
  const script = vaultScript("$v.Remove($c)");
  assert.equal(script.trimEnd().split("\n").length, 1);
  assert.equal(script.match(/\{/g)!.length, script.match(/\}/g)!.length);
});
