/** Only lib/runtime/ uses what differs between Deno, Bun and Node. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/cli.ts";

const RUNTIME_SPECIFIC = /\b(?:Deno|Bun)\??\.\w|globalThis\b.*\b(?:Deno|Bun)\b|process\.versions/;

/** The files of `folder` that use a runtime's own API; comments don't count. */
function runtimeSpecific(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    .filter((path) => {
      const lines = readFileSync(join(ROOT, path), "utf8").split("\n");
      const code = lines.filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line));
      return code.some((line) => RUNTIME_SPECIFIC.test(line));
    });
}

Deno.test("only lib/runtime/ uses the APIs of a runtime", () => {
  const paths = [...runtimeSpecific("lib"), ...runtimeSpecific("commands")];
  assert.deepEqual(paths.filter((path) => !path.startsWith(join("lib", "runtime"))), []);
  assert.ok(paths.includes(join("lib", "runtime", "globals.ts")), `found ${paths}`);
});
