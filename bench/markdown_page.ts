/**
 * Writes tables into a page of the documentation.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { runtimeName } from "../lib/runtime/runtime.ts";
import { markdownTables, type Measurement } from "./measurement.ts";
import { run } from "./runtimes.ts";

/** The machine and the runtimes. */
export function machine(): string {
  const [{ model }] = cpus();
  const bun = run(["bun", "--version"]).output.trim();
  return `${cpus().length} × ${model.trim()}, ${runtimeName()}, bun ${bun}`;
}

/**
 * Replaces what is between the two comments of a page that are called `name`.
 *
 * @throws {Error} if the page lacks them
 */
export function writeTables(path: string, name: string, rows: readonly Measurement[]): void {
  const page = readFileSync(path, "utf8");
  const [beginning, ending] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [begin, end] = [page.indexOf(beginning), page.indexOf(ending)];
  if (begin < 0 || end < begin) throw new Error(`${path} has no ${beginning} … ${ending}`);
  const date = new Date().toISOString().slice(0, 10);
  const tables = `Measured on ${date} on ${machine()}.\n\n${markdownTables(rows)}`;
  const before = page.slice(0, begin + beginning.length);
  writeFileSync(path, `${before}\n\n${tables}\n${page.slice(end)}`);
}
