/**
 * Runs the parts of the command that load modules on demand, or use an API that differs between runtimes.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Project } from "./project.ts";

const QUESTIONS = '{"q":"Why?"}\n{"q":"How?"}\n';

/** Runs a command of the package. Fails with its stderr if the exit code is not 0. */
function flexllm(project: Project, args: readonly string[], input = ""): string {
  const [file, rest] = project.command(...args);
  const options = { ...project.options, input, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(file, rest, options);
  assert.equal(status, 0, `flexllm ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Compressed files and Parquet as inputs of a batch, and its result file. */
export function checkInputs(project: Project): void {
  const prompts = [{ name: "prompt", data: ["Why?", "How?"] }];
  const inputs = {
    "a.jsonl.gz": gzipSync(QUESTIONS),
    "a.jsonl.zst": zstdCompressSync(QUESTIONS),
    "a.parquet": new Uint8Array(parquetWriteBuffer({ columnData: prompts, codec: "SNAPPY" })),
  };
  for (const [name, bytes] of Object.entries(inputs)) {
    writeFileSync(join(project.path, name), bytes);
    const output = `${name}.out.jsonl`;
    flexllm(project, ["batch", name, "-o", output, "-m", "mock"]);
    assert.match(flexllm(project, ["results", output]), /^2 records: 2 succeeded, 0 failed$/m);
  }
  const piped = ["batch", "-", "-o", "piped.jsonl", "-m", "mock"];
  flexllm(project, piped, QUESTIONS);
  assert.equal(readFileSync(join(project.path, "piped.jsonl"), "utf8").split("\n").length, 3);
}

/** Prompts from standard input, templates, schemas, web pages, keys and the skill. */
export function checkCommands(project: Project): void {
  const run = (args: readonly string[], input?: string) => flexllm(project, args, input);
  assert.match(run(["ask", "-m", "mock"], "Why?"), /^You asked: "Why\?"/);
  run(["template", "save", "short", "--prompt", "In short: {{input}}"]);
  assert.match(run(["ask", "-m", "mock", "--as", "short", "Why?"]), /In short: Why\?/);
  assert.ok(
    "name" in JSON.parse(run(["ask", "A river", "-m", "mock", "--schema", "name, km int"])),
  );
  writeFileSync(join(project.path, "page.html"), "<p>Rivers &amp; lakes</p>");
  assert.match(run(["ask", "-m", "mock", "Why?", "-f", "page.html"]), /page\.html/);
  run(["keys", "set", "openai"], "sk-0123456789abcdef");
  assert.match(run(["keys", "list"]), /^openai .*cdef/m);
  assert.match(run(["skill", "print"]), /^---\nname: flexllm$/m);
  assert.match(run(["chat", "-m", "mock"], "Hello\nexit\n"), /You asked: "Hello"/);
}

/** Records traffic of the mock and replays it without a server. */
export async function checkRecording(project: Project): Promise<void> {
  const ask = (url: string) =>
    flexllm(project, ["ask", "Why?", "--base-url", `${url}/v1`, "-m", "any"]);
  const recorded = await project.withMock(
    ["--seed", "1"],
    (url) => project.withMock(["--record", `${url}/v1`, "tape.jsonl"], (url) => ask(url)),
  );
  const replayed = await project.withMock(["--replay", "tape.jsonl"], (url) => ask(url));
  assert.equal(replayed, recorded);
}
