/**
 * `deno task test:bun`: runs the unit tests on Bun. They are bundled like the binary, with Bun's test runner in
 * place of `Deno.test`. Needs `bun` on the PATH.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const PRELOAD = `import { test } from "bun:test";
globalThis.Deno = {
  test(...args) {
    const settings = typeof args[0] === "object" ? args[0] : args.length > 2 ? args[1] : {};
    const name = settings.name ?? args[0];
    const body = settings.fn ?? args.at(-1);
    const run = settings.ignore ? test.skip : test;
    run(name, () => body(), 600_000);
  },
};
`;

/**
 * Directories with tests that run the command line, scripts or Deno itself, or that mostly wait: fleets and shared
 * limits are tested on Bun by the end-to-end tests on the binary.
 */
const NOT_UNIT_TESTS =
  /^(docs|e2e|examples|fleet|layout|npm|release|scheduling\/shared|torture|types)\//;

/** A test that changes the state of modules, which all files of one bundle share. */
const ALONE = join("protocols", "registry_test.ts");

const tests = new URL(".", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "flexllm-bun-"));

/** Bundles tests together: much faster than one by one, since they import the same modules. */
async function bundle(names: readonly string[], target: string): Promise<string[]> {
  const files = names.map((name) => join(tests, name));
  // With a single file, the bundle would lose its subdirectory.
  const output = files.length === 1
    ? ["-o", join(target, names[0].replace(/\.ts$/, ".js"))]
    : ["--code-splitting", "--outdir", target];
  const flags = ["bundle", "--quiet", "--platform", "deno", ...output, ...files];
  await promisify(execFile)(process.execPath, flags);
  cpSync(join(tests, "fixtures"), join(target, "fixtures"), { recursive: true });
  writeFileSync(join(target, "preload.js"), PRELOAD);
  return names.map((name) => join(target, name.replace(/\.ts$/, ".js")));
}

/** Of the runs that failed: the exit code of the last one, and what each printed. */
let status = 0;
const failures: string[] = [];

/** Runs bundled tests and prints what happened, but for the tests that passed. */
async function run(files: readonly string[], target: string): Promise<void> {
  const flags = ["test", "--preload", "./preload.js", ...files];
  const bun = spawn("bun", flags, { cwd: target, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [bun.stdout, bun.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const [code, signal] = await once(bun, "close");
  // A file whose tests all passed leaves only its name.
  const rest = output.replace(/^\(pass\) .*\n/gm, "").replace(/^\S+_test\.js:\n\n/gm, "");
  process.stdout.write(rest);
  if (code === 0) return;
  status = code ?? 1;
  failures.push(signal ? `bun was ended by ${signal}\n${rest}` : rest);
}

try {
  const names = readdirSync(tests, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.ts") && !NOT_UNIT_TESTS.test(name));
  const shared = join(folder, "shared");
  const alone = join(folder, "alone");
  const files = await bundle(names.filter((name) => name !== ALONE), shared);
  // Many tests wait for servers and processes.
  const runs = availableParallelism() * 2;
  const parts = Array.from({ length: runs }, (_, i) => files.filter((_, j) => j % runs === i));
  await Promise.all(parts.map((part) => run(part, shared)));
  await run(await bundle([ALONE], alone), alone);
  // The end of a log is what is read first.
  if (failures.length > 0) process.stdout.write(`\nFailed:\n${failures.join("\n")}`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  status = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
