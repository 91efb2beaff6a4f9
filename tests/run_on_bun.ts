/**
 * `deno task test:bun`: runs the unit tests on Bun. Each is bundled like the binary, with Bun's test runner in
 * place of `Deno.test`. Needs `bun` on the PATH.
 */
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import pLimit from "p-limit";

const PRELOAD = `import { test } from "bun:test";
globalThis.Deno = { test: (name, body) => test(name, () => body(), 600_000) };
`;

/** Directories with tests that run the command line, scripts or Deno itself. */
const NOT_UNIT_TESTS = /^(docs|e2e|examples|layout|npm|release|torture|types)\//;

const tests = new URL(".", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "flexllm-bun-"));
let status = 0;
try {
  const names = readdirSync(tests, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.ts") && !NOT_UNIT_TESTS.test(name));
  await pLimit(availableParallelism()).map(names, (name) => {
    const target = join(folder, name.replace("_test.ts", ".test.js"));
    const bundle = ["bundle", "--quiet", "--platform", "deno", "-o", target, join(tests, name)];
    return promisify(execFile)(process.execPath, bundle);
  });
  cpSync(join(tests, "fixtures"), join(folder, "fixtures"), { recursive: true });
  writeFileSync(join(folder, "preload.js"), PRELOAD);
  execFileSync("bun", ["test", "--preload", "./preload.js"], { cwd: folder, stdio: "inherit" });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  status = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
