/**
 * `deno task compile:all [--with bun] [PLATFORM…]`: builds the binaries of all or the named platforms,
 * compressed copies and their checksums in dist/. A platform that cannot be built is reported, and the others are still built.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { CHECKSUMS, writeChecksums } from "./checksums.ts";
import { fileOf, type Target, TARGETS } from "./targets.ts";

/** The program that compiles the binaries. */
export type Compiler = "deno" | "bun";

/** Runs a program. Returns its exit code and stderr. */
export type RunProgram = (command: string, args: string[]) => { code: number; stderr: string };

const FOLDER = "dist";
/** What both compile: `deno compile` overflows its stack when it analyzes one of the npm packages by itself. */
const BUNDLE = join(FOLDER, "js", "main.js");
/** Version and flags are those of the task compile:bun. */
const BUN = "bun@1.4.5";

/** The command that builds one binary. */
function commandOf(compiler: Compiler, target: Target): [command: string, args: string[]] {
  const output = join(FOLDER, fileOf(target));
  if (compiler === "deno") {
    // The `run` permission names a program, and Windows has a different one.
    const permissions = target.name.startsWith("windows") ? "-P=cli-windows" : "-P=cli";
    const flags = ["--no-prompt", "--no-check", "--frozen", "--quiet"];
    const args = [
      "compile",
      permissions,
      ...flags,
      "--target",
      target.deno,
      "--output",
      output,
      BUNDLE,
    ];
    return [process.execPath, args];
  }
  // Files in the user's current directory must not change what the binary does.
  const safe = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  // Parsing takes half of the time that a command needs to start; optimized bytecode is no faster. Compiling
  // to machine code takes another third: see `optimizeLongCommand`.
  const bytecode = ["--bytecode", "--no-optimize-bytecode", "--format=esm"];
  const fast = [...bytecode, "--compile-jit-policy=8"];
  // Not the identifiers: stack traces should stay readable.
  const small = ["--minify-syntax", "--minify-whitespace"];
  const flags = ["--compile", "--splitting", ...fast, ...small, ...safe];
  const build = ["build", ...flags, `--target=${target.bun}`];
  return ["npx", ["-y", BUN, ...build, BUNDLE, "--outfile", output]];
}

/** The reason why a compiler failed, on one line. */
function reasonOf(stderr: string, compiler: Compiler): string {
  // deno-lint-ignore no-control-regex
  const text = stderr.replace(/\x1b\[[0-9;]*m/g, "");
  const isDownload = /setting up base binary|error sending request|failed to (download|extract)/i;
  if (isDownload.test(text)) {
    const other = compiler === "deno" ? "; --with bun downloads its own from npm" : "";
    return `its runtime could not be downloaded${other}`;
  }
  const lines = text.split("\n").map((line) => line.trim());
  return lines.findLast((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== "") ??
    "the compiler failed without a message";
}

/** Builds the binaries of `targets`. Returns those that failed, with the reason. */
export function compileAll(
  targets: readonly Target[],
  compiler: Compiler,
  run: RunProgram,
): Map<Target, string> {
  const failed = new Map<Target, string>();
  const bundled = run(process.execPath, ["task", "bundle"]);
  for (const target of targets) {
    const { code, stderr } = bundled.code !== 0 ? bundled : run(...commandOf(compiler, target));
    if (code !== 0) failed.set(target, reasonOf(stderr, compiler));
  }
  return failed;
}

/**
 * The platforms with these names, or all platforms if no name is given.
 *
 * @throws {Error} if a name is unknown
 */
export function targetsNamed(names: readonly string[]): readonly Target[] {
  if (names.length === 0) return TARGETS;
  return names.map((name) => {
    const target = TARGETS.find((target) => target.name === name);
    if (target !== undefined) return target;
    const known = TARGETS.map(({ name }) => name).join(", ");
    throw new Error(`unknown platform "${name}"; known platforms: ${known}`);
  });
}

/** Compresses a binary for download, to less than half its size. Returns the name of the new file. */
function compress(folder: string, file: string): string {
  const compressed = gzipSync(readFileSync(join(folder, file)), { level: 9 });
  writeFileSync(join(folder, `${file}.gz`), compressed);
  return `${file}.gz`;
}

function runProgram(command: string, args: string[]): { code: number; stderr: string } {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return { code: status ?? 1, stderr: error?.message ?? stderr };
}

/** Runs the task. Returns the exit code. */
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
  const binaries = targets.filter((target) => !failed.has(target)).map(fileOf);
  const built = [...binaries, ...binaries.map((file) => compress(folder, file))].sort();
  if (built.length > 0) writeChecksums(folder, built);
  for (const file of built) console.log(join(folder, file));
  for (const [{ name }, reason] of failed) console.error(`not built: ${name}: ${reason}`);
  if (built.length > 0) console.log(join(folder, CHECKSUMS));
  return failed.size > 0 ? 1 : 0;
}

if (import.meta.main) process.exit(main(process.argv.slice(2)));
