/**
 * `deno task compile:all [--with bun] [PLATFORM…]`: the binaries of all platforms, or of those that are
 * named, and their checksums, in dist/. Makes what can be made here, and says what could not and why.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { CHECKSUMS, writeChecksums } from "./checksums.ts";
import { fileOf, type Target, TARGETS } from "./targets.ts";

/** What compiles. */
export type Compiler = "deno" | "bun";

/** Runs a program and gives its exit code and what it wrote to stderr. */
export type RunProgram = (command: string, args: string[]) => { code: number; stderr: string };

const FOLDER = "dist";
/** As in the task compile:bun, which also has its flags. */
const BUN = "bun@1.4.5";

/** The program that makes one binary. */
function commandOf(compiler: Compiler, target: Target): [command: string, args: string[]] {
  const output = join(FOLDER, fileOf(target));
  if (compiler === "deno") {
    // What is started is asked for by its name, which no other system knows.
    const permissions = target.name.startsWith("windows") ? "-P=cli-windows" : "-P=cli";
    const flags = ["--no-prompt", "--exclude-unused-npm", "--frozen", "--quiet"];
    const args = [
      "compile",
      permissions,
      ...flags,
      "--target",
      target.deno,
      "--output",
      output,
      "main.ts",
    ];
    return [process.execPath, args];
  }
  // Files of the folder that somebody happens to be in must not change what the binary does.
  const safe = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  const build = ["build", "--compile", "--splitting", ...safe, `--target=${target.bun}`];
  return ["npx", ["-y", BUN, ...build, join(FOLDER, "js", "main.js"), "--outfile", output]];
}

/** Why a compiler failed, in a line. */
function reasonOf(stderr: string, compiler: Compiler): string {
  // deno-lint-ignore no-control-regex
  const text = stderr.replace(/\x1b\[[0-9;]*m/g, "");
  const isDownload = /setting up base binary|error sending request|failed to (download|extract)/i;
  if (isDownload.test(text)) {
    const other = compiler === "deno" ? "; --with bun gets its own from npm" : "";
    return `its runtime could not be downloaded${other}`;
  }
  const lines = text.split("\n").map((line) => line.trim());
  return lines.findLast((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== "") ??
    "the compiler failed without a word";
}

/** Makes the binaries of `targets`; gives those that could not be made, with the reason. */
export function compileAll(
  targets: readonly Target[],
  compiler: Compiler,
  run: RunProgram,
): Map<Target, string> {
  const failed = new Map<Target, string>();
  const bundled = compiler === "bun"
    ? run(process.execPath, ["task", "bundle"])
    : { code: 0, stderr: "" };
  for (const target of targets) {
    const { code, stderr } = bundled.code !== 0 ? bundled : run(...commandOf(compiler, target));
    if (code !== 0) failed.set(target, reasonOf(stderr, compiler));
  }
  return failed;
}

/**
 * The platforms of these names; all for none.
 *
 * @throws {Error} when there is no such platform
 */
export function targetsNamed(names: readonly string[]): readonly Target[] {
  if (names.length === 0) return TARGETS;
  return names.map((name) => {
    const target = TARGETS.find((target) => target.name === name);
    if (target !== undefined) return target;
    const known = TARGETS.map(({ name }) => name).join(", ");
    throw new Error(`there is no platform "${name}"; there are ${known}`);
  });
}

function runProgram(command: string, args: string[]): { code: number; stderr: string } {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return { code: status ?? 1, stderr: error?.message ?? stderr };
}

/** Does what the arguments say; gives the exit code. */
export function main(args: string[], run: RunProgram = runProgram, folder = FOLDER): number {
  const options = { with: { type: "string", default: "deno" } } as const;
  let targets: readonly Target[];
  let compiler: string;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    targets = targetsNamed(positionals);
    compiler = values.with;
    if (compiler !== "deno" && compiler !== "bun") {
      throw new Error(`--with: expected deno or bun, got ${compiler}`);
    }
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
  mkdirSync(folder, { recursive: true });
  const failed = compileAll(targets, compiler as Compiler, run);
  const made = targets.filter((target) => !failed.has(target)).map(fileOf);
  if (made.length > 0) writeChecksums(folder, made);
  for (const file of made) console.log(join(folder, file));
  for (const [{ name }, reason] of failed) console.error(`not made: ${name}: ${reason}`);
  if (made.length > 0) console.log(join(folder, CHECKSUMS));
  return failed.size > 0 ? 1 : 0;
}

if (import.meta.main) process.exit(main(process.argv.slice(2)));
