/** The Homebrew formula and the Scoop manifest. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fillManifest } from "../../scripts/package_manifests.ts";
import { fileOf, TARGETS } from "../../scripts/targets.ts";
import { VERSION } from "../../lib/version.ts";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const hashOf = (i: number) => String(i).repeat(64);
const SUMS = TARGETS.map((target, i) => `${hashOf(i)}  ${fileOf(target)}\n`).join("");
const SCRIPT = ["run", "--quiet", "-A", `${ROOT}scripts/package_manifests.ts`];

Deno.test("both manifests name the version, the files and their checksums", () => {
  using folder = temporaryFolder();
  folder.write("SHA256SUMS", SUMS);
  execFileSync(process.execPath, [...SCRIPT, "someone/some.where", folder.path], { cwd: ROOT });
  const formula = folder.read("flexllm.rb");
  const url = `https://github.com/someone/some.where/releases/download/v${VERSION}`;
  const pairs = [...formula.matchAll(/url "(.*)"\n +sha256 "(.*)"/g)].map(([, url, sum]) => [
    url,
    sum,
  ]);
  assert.deepEqual(pairs, [
    [`${url}/flexllm-macos-arm64`, hashOf(3)],
    [`${url}/flexllm-macos-x64`, hashOf(2)],
    [`${url}/flexllm-linux-arm64`, hashOf(1)],
    [`${url}/flexllm-linux-x64`, hashOf(0)],
  ]);
  assert.ok(formula.includes(`version "${VERSION}"`));
  const manifest = JSON.parse(folder.read("flexllm.json"));
  assert.equal(manifest.version, VERSION);
  assert.deepEqual(manifest.architecture["64bit"], {
    url: `${url}/flexllm-windows-x64.exe#/flexllm.exe`,
    hash: hashOf(4),
  });
  assert.ok(!/\{\{|\}\}/.test(formula + folder.read("flexllm.json")));
});

Deno.test("a manifest needs all checksums and a repository", () => {
  using folder = temporaryFolder();
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [...SCRIPT, ...args], {
      encoding: "utf8",
    });
    return [status, stderr];
  };
  folder.write("SHA256SUMS", SUMS.split("\n").slice(1).join("\n"));
  assert.deepEqual(run("a/b", folder.path), [
    1,
    "error: there is no value for {{sha256 flexllm-linux-x64}}\n",
  ]);
  assert.deepEqual(run("b"), [1, 'error: expected OWNER/REPOSITORY, got "b"\n']);
  const release = { version: "1", repository: "a/b", checksums: new Map() };
  assert.throws(() => fillManifest("{{other}}", release), /there is no value for \{\{other\}\}/);
});

Deno.test("the installers and the manifests name the same files", () => {
  const installers = readFileSync(`${ROOT}install.sh`, "utf8") +
    readFileSync(`${ROOT}install.ps1`, "utf8");
  assert.match(installers, /file=flexllm-\$\(platform\)/);
  assert.ok(installers.includes("flexllm-windows-x64.exe"));
});
