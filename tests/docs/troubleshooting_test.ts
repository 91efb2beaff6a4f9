/** The page on errors names every code, and no other. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ROOT } from "../support/cli.ts";

Deno.test("docs/troubleshooting.md explains every code of an error, each once", () => {
  const source = readFileSync(`${ROOT}lib/errors.ts`, "utf8");
  const union = /export type ErrorCode =([^;]+);/.exec(source)![1];
  const codes = [...union.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  const page = readFileSync(`${ROOT}docs/troubleshooting.md`, "utf8");
  const explained = [...page.matchAll(/^\| `(\w+)` +\|/gm)].map(([, code]) => code);
  assert.ok(codes.length > 10);
  assert.deepEqual(explained.toSorted(), codes.toSorted());
});
