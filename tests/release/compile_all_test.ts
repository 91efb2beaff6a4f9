/** `deno task compile:all`: the commands it runs, and what it reports when one fails. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { compileAll, main, type RunProgram, targetsNamed } from "../../scripts/compile_all.ts";
import { parseChecksums, writeChecksums } from "../../scripts/checksums.ts";
import { fileOf, TARGETS } from "../../scripts/targets.ts";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const NO_DOWNLOAD =
  "\x1b[31merror\x1b[0m: Setting up base binary.\n\nCaused by:\n    0: dns error\n";

/** A fake program that records its arguments. */
function recorder(answer: (args: string[]) => { code: number; stderr: string }) {
  const calls: string[][] = [];
  const run: RunProgram = (_, args) => {
    calls.push(args);
    return answer(args);
  };
  return { calls, run };
}

const well = () => ({ code: 0, stderr: "" });

Deno.test("each platform is compiled for its own target and file", () => {
  const deno = recorder(well);
  assert.equal(compileAll(TARGETS, "deno", deno.run).size, 0);
  assert.deepEqual(deno.calls.shift(), ["task", "bundle"]);
  const made = deno.calls.map((args) => [
    args[args.indexOf("--target") + 1],
    args[args.indexOf("--output") + 1],
  ]);
  assert.deepEqual(made, [
    ["x86_64-unknown-linux-gnu", "dist/flexllm-linux-x64"],
    ["aarch64-unknown-linux-gnu", "dist/flexllm-linux-arm64"],
    ["x86_64-apple-darwin", "dist/flexllm-macos-x64"],
    ["aarch64-apple-darwin", "dist/flexllm-macos-arm64"],
    ["x86_64-pc-windows-msvc", "dist/flexllm-windows-x64.exe"],
  ]);
  const permissions = deno.calls.map((args) => args.find((arg) => arg.startsWith("-P=")));
  assert.deepEqual(permissions, [...Array(4).fill("-P=cli"), "-P=cli-windows"]);
  const bun = recorder(well);
  assert.equal(compileAll(TARGETS.slice(0, 2), "bun", bun.run).size, 0);
  assert.deepEqual(bun.calls[0], ["task", "bundle"]);
  assert.deepEqual(bun.calls.slice(1).map((args) => args.find((arg) => /^--target/.test(arg))), [
    "--target=bun-linux-x64",
    "--target=bun-linux-arm64",
  ]);
});

Deno.test("compile:all has the flags of the tasks for one binary", () => {
  const { tasks } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
  for (const [compiler, task] of [["deno", "compile"], ["bun", "compile:bun"]] as const) {
    const { calls, run } = recorder(well);
    compileAll(TARGETS.slice(0, 1), compiler, run);
    const words: string[] = tasks[task].split(" ");
    const flags = words.filter((word) => /^-/.test(word) && word !== "-y");
    assert.ok(flags.length >= 3);
    for (const flag of flags) assert.ok(calls.at(-1)!.includes(flag), `${task} has ${flag}`);
    const version = words.find((word) => word.startsWith("bun@"));
    if (version !== undefined) assert.ok(calls.at(-1)!.includes(version), version);
  }
});

Deno.test("a failure is reported on one line, and the other platforms are still built", () => {
  const { run } = recorder((args) => {
    if (args.includes("x86_64-apple-darwin")) return { code: 1, stderr: NO_DOWNLOAD };
    if (args.includes("aarch64-apple-darwin")) {
      return { code: 1, stderr: "Compile main.js\nerror: cannot write the binary\n at y\n" };
    }
    return { code: 0, stderr: "Compile main.js" };
  });
  const failed = compileAll(TARGETS, "deno", run);
  assert.deepEqual([...failed].map(([{ name }, reason]) => [name, reason]), [
    ["macos-x64", "its runtime could not be downloaded; --with bun downloads its own from npm"],
    ["macos-arm64", "error: cannot write the binary"],
  ]);
});

Deno.test("nothing is compiled if bundling fails", () => {
  const { calls, run } = recorder(() => ({ code: 1, stderr: "error: no such module\n" }));
  const failed = compileAll(TARGETS, "bun", run);
  assert.equal(calls.length, 1);
  assert.deepEqual([...failed.values()], Array(5).fill("error: no such module"));
});

Deno.test("only the binaries that were built have checksums", () => {
  using folder = temporaryFolder();
  const run: RunProgram = (_, args) => {
    if (args.includes("x86_64-apple-darwin")) return { code: 1, stderr: NO_DOWNLOAD };
    const output = args[args.indexOf("--output") + 1];
    writeFileSync(join(folder.path, output.replace("dist/", "")), output);
    return well();
  };
  assert.equal(main(["linux-x64", "macos-x64"], run, folder.path), 1);
  const hash = createHash("sha256").update("dist/flexllm-linux-x64").digest("hex");
  const sums = parseChecksums(folder.read("SHA256SUMS"));
  assert.deepEqual([...sums.keys()], ["flexllm-linux-x64", "flexllm-linux-x64.gz"]);
  assert.equal(sums.get("flexllm-linux-x64"), hash);
  const compressed = readFileSync(folder.file("flexllm-linux-x64.gz"));
  assert.equal(gunzipSync(compressed).toString(), "dist/flexllm-linux-x64");
  assert.equal(main([], run, folder.path), 1);
  assert.equal(parseChecksums(folder.read("SHA256SUMS")).size, 8);
  assert.equal(main(["windows-x64"], run, folder.path), 0);
});

Deno.test("invalid arguments run nothing", () => {
  const { calls, run } = recorder(well);
  using folder = temporaryFolder();
  assert.deepEqual(
    [["amiga"], ["--with", "tcc"], ["--wiht"]].map((args) => main(args, run, folder.path)),
    [1, 1, 1],
  );
  assert.equal(calls.length, 0);
  assert.throws(
    () => targetsNamed(["amiga"]),
    /unknown platform "amiga"; known platforms: linux-x64, /,
  );
});

Deno.test("checksums are written sorted and read back; other text is rejected", () => {
  using folder = temporaryFolder();
  for (const name of ["b", "a"]) folder.write(name, name);
  writeChecksums(folder.path, ["b", "a"]);
  const sums = parseChecksums(folder.read("SHA256SUMS"));
  assert.deepEqual([...sums.keys()], ["a", "b"]);
  assert.throws(() => parseChecksums("<html>\n"), /invalid line in SHA256SUMS: <html>/);
  assert.deepEqual(new Set(TARGETS.map(fileOf)).size, TARGETS.length);
});
