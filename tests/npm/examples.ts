/**
 * Every script of examples/ on Node 22, Node 24 and Bun, with the npm package. On Deno they run in
 * tests/examples.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import config from "../../deno.json" with { type: "json" };
import { ROOT } from "../support/cli.ts";
import type { Project } from "./project.ts";

/** Text in the output of each script on the built-in mock. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  budget: /^\d+ of 60 answered for \$0\.00\d+$/m,
  classify_tickets: /^8 labelled, 0 failed$/m,
  compare_models: /mock-small/,
  map_reduce: /^You asked: "Question: What was done/m,
  pool_failover: /^40 of 40 answered, 0 failed$/m,
  provider_batch: /^\d+ of \d+ answered, 0 failed$/m,
  shared_cache: /^60 answers, 0 of them from answers\.sqlite$/m,
  tool_loop: /^You asked: "What should I wear in Oslo today\?"/m,
  translate_csv: /^translated\.csv: 6 translated, 0 restored, 0 failed$/m,
};

/** What the scripts import besides flexllm, in the versions of deno.json. */
const IMPORTS = ["zod", "csv-parse", "csv-stringify", "hono", "@hono/node-server"]
  .map((name) => config.imports[name as keyof typeof config.imports].replace(/^npm:/, ""));

/** What runs the scripts on a runtime. Node 22 has no `await using`, so tsx compiles it. */
function programOf(runtime: string): "bun" | "tsx" | "node" {
  if (runtime.startsWith("bun")) return "bun";
  return runtime === "node@22" ? "tsx" : "node";
}

/** The packages that the scripts need on a runtime: they import the library under its name on JSR. */
export function examplePackages(tarball: string, runtime: string): string[] {
  const packages = [`@flexllm/flexllm@file:${tarball}`, ...IMPORTS];
  return programOf(runtime) === "tsx" ? [...packages, "tsx@4"] : packages;
}

/** Runs the server of an example, and ends it when `use` has. `output` is what it prints up to `ready`. */
async function withServer<T>(
  project: Project,
  [program, script]: readonly [program: string, script: string],
  ready: RegExp,
  use: (output: RegExpExecArray) => Promise<T>,
): Promise<T> {
  const env = { ...project.env, PORT: "0" };
  const child = spawn(join(project.path, "node_modules", ".bin", program), [
    `examples/${script}.ts`,
  ], { cwd: project.path, env, detached: true });
  try {
    let output = "";
    const found = await new Promise<RegExpExecArray>((resolve, reject) => {
      const read = (chunk: unknown) => {
        output += chunk;
        const match = ready.exec(output);
        if (match) resolve(match);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.on("close", (code) => reject(new Error(`it ended with ${code}: ${output}`)));
    });
    return await use(found);
  } finally {
    child.removeAllListeners("close");
    // The group: tsx starts another process.
    process.kill(-child.pid!);
  }
}

/** Sends a question to the web server of an example and returns the answer. */
function askWebServer(project: Project, program: string): Promise<string> {
  return withServer(project, [program, "stream_web"], /http:\S+/, async ([url]) => {
    const response = await fetch(url, { method: "POST", body: '{"question": "Why?"}' });
    return await response.text();
  });
}

/** Sends a question to the gateway of an example, with its key and without, and returns the answers. */
function askGateway(project: Project, program: string): Promise<string[]> {
  const ready = /(http:\S+)\s+KEY=(\S+)\n/;
  return withServer(project, [program, "gateway"], ready, async ([, url, key]) => {
    const ask = async (stream: boolean, headers: HeadersInit) => {
      const messages = [{ role: "user", content: "Hello!" }];
      const body = JSON.stringify({ model: "assistant", messages, stream });
      const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", body, headers });
      return `${response.status} ${await response.text()}`;
    };
    const headers = { authorization: `Bearer ${key}` };
    return [await ask(false, {}), await ask(false, headers), await ask(true, headers)];
  });
}

/** Runs every script of examples/ in a project that has their packages. */
export async function checkExamples(project: Project): Promise<void> {
  const program = programOf(project.runtime);
  cpSync(`${ROOT}examples`, join(project.path, "examples"), { recursive: true });
  for (const [name, expected] of Object.entries(EXPECTED)) {
    assert.match(project.run(program, [`examples/${name}.ts`]), expected, name);
  }
  const tests = ["--test", "examples/mocked_app_test.ts"];
  // Bun takes a path without ./ for a filter of names.
  if (project.isBun) project.run("bun", ["test", "./examples/mocked_app_test.ts"]);
  else assert.match(project.run(program, tests), /pass 3$/m);
  assert.match(await askWebServer(project, program), /event: end\ndata: \{"usage":/);
  const [refused, answer, stream] = await askGateway(project, program);
  assert.match(refused, /^401 /);
  assert.match(answer, /^200 .*You asked: /);
  assert.match(stream, /^200 data: [^]*\ndata: \[DONE\]\n\n$/);
}
