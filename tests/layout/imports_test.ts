/** Imports run one way: no cycle between files, and none from a lower directory to a higher one. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/cli.ts";

/** The directories of lib/, lowest first: each may import from those before it. "" is lib/ itself. */
const LIB = [
  "",
  "runtime",
  "json",
  "files",
  "chat",
  "log",
  "telemetry",
  "transport",
  "redis",
  "protocols",
  "mock",
  "services",
  "scheduling",
  "pricing",
  "cache",
  "batch_api",
  "batch",
  "client",
  "fleet",
  "metrics",
  "gateway",
  "input",
  "results",
  "report",
  "keys",
  "config",
  "conversations",
  "probe",
];

/** The same for commands/. Files of commands/ itself are listed by name; the rest of them come last. */
const COMMANDS = [
  "exit_codes.ts",
  "terminal",
  "errors",
  "wait_notice.ts",
  "hangup.ts",
  "signals.ts",
  "read_config.ts",
  "call_log.ts",
  "connect.ts",
  "flags",
  "conversation",
  "ask",
  "report",
  "batch",
  "worker",
  "results",
  "keys",
  "config",
  "chat",
  "logs",
  "test",
  "init",
  "mock",
  "serve",
  "models",
  "pricing",
  "template",
  "command_entry.ts",
  "skill",
  "completions",
  "",
];

/** The import graph: every file and what it imports, types and dynamic imports included. */
export type ImportGraph = Map<string, string[]>;

function importGraph(): ImportGraph {
  const files = ["lib", "commands"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts")).map((name) => `${folder}/${name}`)
  );
  return new Map([...files, "main.ts", "mod.ts"].map((path) => {
    const source = readFileSync(join(ROOT, path), "utf8").replace(/^\s*\*.*$/gm, "");
    const imports = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+\.ts)"/g);
    return [path, Array.from(imports, ([, target]) => join(path, "..", target))];
  }));
}

/** A position in the order of the layers; `undefined` for a directory that is not in the list. */
function layerOf(path: string): number | undefined {
  const [top, ...rest] = path.split("/");
  if (top === "lib") {
    const layer = LIB.indexOf(rest.length > 1 ? rest[0] : "");
    return layer < 0 ? undefined : layer;
  }
  if (top !== "commands") return LIB.length + COMMANDS.length;
  const name = rest.length > 1 || COMMANDS.includes(rest[0]) ? rest[0] : "";
  const layer = COMMANDS.indexOf(name);
  return layer < 0 ? undefined : LIB.length + layer;
}

function upwardImports(graph: ImportGraph): string[] {
  const wrong: string[] = [];
  for (const [path, targets] of graph) {
    if (layerOf(path) === undefined) {
      wrong.push(`${path}: its directory is not in the list of layers`);
    }
    for (const target of targets) {
      if (layerOf(path)! < layerOf(target)!) {
        wrong.push(`${path} imports ${target}, which is above it`);
      }
    }
  }
  return wrong;
}

/** Every cycle that a depth-first walk meets, as a path of files. */
function cycles(graph: ImportGraph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string) => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    if (trail.includes(path) || done.has(path)) return;
    trail.push(path);
    for (const target of graph.get(path) ?? []) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const path of graph.keys()) visit(path);
  return found;
}

Deno.test("no import runs upward", () => {
  assert.deepEqual(upwardImports(importGraph()), []);
});

Deno.test("no imports form a cycle", () => {
  assert.deepEqual(cycles(importGraph()), []);
});

Deno.test("the import check finds what it looks for", () => {
  const graph: ImportGraph = new Map([
    ["lib/json/a.ts", ["lib/batch/b.ts"]],
    ["lib/batch/b.ts", ["lib/batch/c.ts"]],
    ["lib/batch/c.ts", ["lib/json/a.ts"]],
    ["lib/new/d.ts", []],
    ["commands/batch/e.ts", ["commands/program.ts"]],
  ]);
  assert.deepEqual(upwardImports(graph), [
    "lib/json/a.ts imports lib/batch/b.ts, which is above it",
    "lib/new/d.ts: its directory is not in the list of layers",
    "commands/batch/e.ts imports commands/program.ts, which is above it",
  ]);
  assert.deepEqual(cycles(graph), [
    "lib/json/a.ts → lib/batch/b.ts → lib/batch/c.ts → lib/json/a.ts",
  ]);
});
