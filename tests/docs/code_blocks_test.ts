/**
 * Every code block in the documentation is run or type-checked. One that cannot be run has a comment
 * `<!-- not run: reason -->` before it, and only its syntax is checked.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { parseAllDocuments } from "yaml";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { parseCanned } from "../../lib/mock/canned.ts";
import { startMockServer } from "../../lib/mock/server.ts";
import { commandLine, ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const run = promisify(execFile);

interface Block {
  /** File and line of its first line. */
  place: string;
  language: string;
  code: string;
  /** The reason why it is not run. */
  exempt: string | undefined;
}

const FENCE = /^(?:<!-- not run: ([^\n]+) -->\n\n?)?```(\w*)\n([\s\S]*?)^```$/gm;

function blocksOf(file: string): Block[] {
  const page = readFileSync(ROOT + file, "utf8");
  return [...page.matchAll(FENCE)].map(({ 0: all, 1: exempt, 2: language, 3: code, index }) => {
    const line = page.slice(0, index + all.indexOf("```")).split("\n").length + 1;
    return { place: `${file}:${line}`, language, code, exempt };
  });
}

const PAGES = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith(".md"));
const SKILL = "skills/flexllm/SKILL.md";
const FILES = ["README.md", "README.zh-CN.md", SKILL, ...PAGES.map((name) => `docs/${name}`)];
const BLOCKS = FILES.flatMap(blocksOf);

function inLanguage(...languages: string[]): Block[] {
  return BLOCKS.filter(({ language }) => languages.includes(language));
}

/** Runs a command. Its output is in the message of the error if it fails. */
async function succeed(place: string, command: string[], options: object): Promise<void> {
  try {
    await run(command[0], command.slice(1), { timeout: 600_000, ...options });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    assert.fail(`${place} fails:\n${stdout}\n${stderr}`);
  }
}

Deno.test("the TypeScript of all pages fits the library", async () => {
  const check = [process.execPath, "check", "--quiet", "--doc-only", ...FILES];
  await succeed("a block of TypeScript", check, { cwd: ROOT });
});

Deno.test("the TypeScript that uses the mock runs", async () => {
  using folder = temporaryFolder();
  const local = inLanguage("ts").filter(({ place }) => /^(docs|skills)\//.test(place));
  assert.ok(local.length > 5);
  await Promise.all(local.map(async ({ place, code }, i) => {
    const file = folder.write(`block${i}.ts`, code.replaceAll("@flexllm/flexllm", `${ROOT}mod.ts`));
    const command = ["run", "--quiet", "-A", "--config", `${ROOT}deno.json`, file];
    await succeed(place, [process.execPath, ...command], { cwd: folder.path });
  }));
});

Deno.test("the commands run in an empty home against a mock server", async () => {
  await using mock = await startMockServer({ seed: 1 });
  const quoted = commandLine().map((part) => `'${part}'`).join(" ");
  for (const file of FILES) {
    using folder = temporaryFolder();
    folder.write("flexllm", `#!/bin/sh\nexec ${quoted} "$@"\n`);
    await run("chmod", ["+x", folder.file("flexllm")]);
    const questions = Array.from({ length: 4 }, (_, i) => `{"q":"Question ${i}?"}\n`).join("");
    folder.write("questions.jsonl", questions);
    folder.write("prompts.txt", "Why?\nHow?\n");
    writeFileSync(folder.file("more.jsonl.gz"), gzipSync(questions));
    mkdirSync(folder.file("shards"));
    const prompts = [{ name: "prompt", data: ["Why?", "How?"] }];
    const parquet = new Uint8Array(parquetWriteBuffer({ columnData: prompts }));
    writeFileSync(folder.file("shards/0.parquet"), parquet);
    folder.write("reviews.csv", "text,stars\nLovely,5\nNot so good,2\n");
    mkdirSync(folder.file("photos"));
    for (const name of ["a.jpg", "b.jpg"]) {
      writeFileSync(folder.file(`photos/${name}`), Uint8Array.of(0xff, 0xd8, 0xff, 0xe0));
    }
    folder.write("photos/notes.md", "Two photos.\n");
    // A budget needs a price.
    folder.write("pricing.json", '{"prices":[{"model":"mock","input":0.1,"output":0.4}]}');
    const env = {
      HOME: folder.path,
      PATH: `${folder.path}:/usr/bin:/bin`,
      DENO_DIR: process.env.DENO_DIR ?? `${process.env.HOME}/.cache/deno`,
      FLEXLLM_HOME: folder.path,
      FLEXLLM_BASE_URL: mock.baseUrl,
      FLEXLLM_MODEL: "mock",
      FLEXLLM_API_KEY: "none",
    };
    for (const { place, code, exempt } of inLanguage("sh", "bash")) {
      if (!place.startsWith(`${file}:`)) continue;
      const flags = exempt === undefined ? "-eu" : "-n";
      // A command that reads stdin would wait forever if it were left open.
      const shell = `exec /bin/sh ${flags} block.sh </dev/null`;
      folder.write("block.sh", code);
      await succeed(place, ["/bin/sh", "-c", shell], { cwd: folder.path, env });
    }
  }
});

Deno.test("configurations on the pages are valid, and everything else parses", async () => {
  const yaml = inLanguage("yaml");
  assert.ok(yaml.length > 3);
  for (const { place, code } of yaml) {
    for (const document of parseAllDocuments(code)) assert.deepEqual(document.errors, [], place);
    const isConfig = /^(default|models|batch|cache|templates|serve):/m.test(code);
    if (isConfig) assert.deepEqual(inspectConfig("c.yaml", code).problems, [], place);
    if (/^- match:/m.test(code)) assert.ok((await parseCanned("a.yaml", code)).length > 0, place);
  }
  for (const { place, code } of inLanguage("json")) {
    assert.doesNotThrow(() => JSON.parse(code), place);
  }
});

Deno.test("blocks that are not run give a reason, and there are few", () => {
  const exempt = BLOCKS.filter((block) => block.exempt !== undefined);
  for (const { place, exempt: reason } of exempt) assert.ok(reason!.length > 10, place);
  assert.ok(exempt.length < BLOCKS.length / 4, `${exempt.length} of ${BLOCKS.length}`);
  const known = ["", "ts", "sh", "bash", "yaml", "json", "text", "console", "csv", "promql"];
  for (const { place, language } of BLOCKS) assert.ok(known.includes(language), place);
});
