/**
 * The npm package, installed from its tarball into an empty project: imported, type-checked and run with
 * every example on Node 22, Node 24 and Bun.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildPackage } from "../../scripts/npm.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { checkExamples, examplePackages } from "./examples.ts";
import { checkCommands, checkInputs, checkRecording } from "./features.ts";
import { ignore, Project, RUNTIMES } from "./project.ts";

const LIBRARY = `import { LLMClient, LLMClientPool, createMockApp } from "flexllm";
await using client = new LLMClient({
  provider: "mock",
  model: "mock",
  cache: { store: "sqlite", path: "cache.sqlite" },
});
const messages = [{ role: "user" as const, content: "What is Python?" }];
const first = await client.chatCompletions(messages);
const second = await client.chatCompletions(messages);
let text = "";
for await (const piece of client.chatCompletionsStream(messages, { cache: false })) text += piece;
const { results } = await client.chatCompletionsBatch([messages, messages], { output: "out.jsonl" });
const cached: boolean = second.cached;
console.log(JSON.stringify({
  answered: first.content.length > 0,
  cached,
  streamed: text === first.content,
  batch: results.map(({ status }) => status),
  exports: [typeof LLMClientPool, typeof createMockApp],
}));
`;

/** The path of the tarball that the first test builds. */
function builtTarball(): string {
  const output = join(import.meta.dirname!, "..", "..", "dist", "npm");
  return join(output, readdirSync(output).find((name) => name.endsWith(".tgz"))!);
}

Deno.test({
  name: "the npm package is complete and has no development dependencies",
  ignore,
  fn() {
    const tarball = buildPackage();
    const listed = execFileSync("tar", ["tzf", tarball], { encoding: "utf8" }).split("\n");
    for (const name of ["package.json", "README.md", "LICENSE", "dist/mod.js", "dist/mod.d.ts"]) {
      assert.ok(listed.includes(`package/${name}`), name);
    }
    assert.deepEqual(
      listed.filter((name) => /_test|bench|\.ts$/.test(name) && !/\.d\.ts$/.test(name)),
      [],
    );
  },
});

Deno.test({
  name: "the command says which Node it needs",
  ignore,
  fn() {
    using folder = temporaryFolder();
    const project = new Project(folder, [builtTarball()], "node@22.13.0");
    const run = (...args: string[]) => {
      const [file, rest] = project.command(...args);
      return spawnSync(file, rest, { ...project.options, encoding: "utf8" });
    };
    // BusyBox, as in the Alpine images of Node, has no `env -S`.
    const cli = readFileSync(project.command()[0], "utf8");
    assert.ok(cli.startsWith("#!/usr/bin/env node\n"));
    // A batch and the cache need node:sqlite, whose warning is hidden.
    writeFileSync(join(project.path, "questions.txt"), "Why?\nHow?\n");
    const batch = run("batch", "questions.txt", "-o", "a.jsonl", "-m", "mock", "--cache");
    assert.match(batch.stderr, /2 succeeded, 0 failed/);
    assert.doesNotMatch(batch.stderr, /Experimental/);

    project.install("node@22.12.0");
    const refused = run("version");
    assert.equal(refused.status, 1);
    assert.equal(refused.stdout, "");
    const expected = /^error: flexllm needs Node 22\.13 or later, .*; this is Node 22\.12\.0$/m;
    assert.match(refused.stderr, expected);
  },
});

for (const runtime of RUNTIMES) {
  Deno.test({
    name: `the npm package and every example work on ${runtime}`,
    ignore,
    async fn() {
      using folder = temporaryFolder();
      const tarball = builtTarball();
      const project = new Project(folder, [tarball], runtime);
      project.install("typescript@5.9.3", "@types/node@22");
      writeFileSync(join(project.path, "library.ts"), LIBRARY);
      const check = [
        "--strict",
        "--target",
        "es2022",
        "--lib",
        "esnext,dom",
        "--skipLibCheck",
        "false",
      ];
      for (const resolution of [["nodenext", "nodenext"], ["esnext", "bundler"]]) {
        const [module, moduleResolution] = resolution;
        const options = ["--module", module, "--moduleResolution", moduleResolution];
        project.run("tsc", [...check, ...options, "library.ts"]);
      }
      const program = project.isBun ? "bun" : "node";
      assert.deepEqual(JSON.parse(project.run(program, ["library.js"])), {
        answered: true,
        cached: true,
        streamed: true,
        batch: ["success", "success"],
        exports: ["function", "function"],
      });
      if (!project.isBun) {
        cpSync(join(import.meta.dirname!, "requests.mjs"), join(project.path, "requests.mjs"));
        project.run("node", ["requests.mjs"]);
      }
      const [file, args] = project.command("ask", "-m", "mock", "What is Python?");
      assert.match(project.run(file, args), /You asked: "What is Python\?"/);
      const status = await project.withMock([], async (url) => {
        const response = await fetch(`${url}/v1/models`);
        await response.body?.cancel();
        return response.status;
      });
      assert.equal(status, 200);
      checkInputs(project);
      checkCommands(project);
      await checkRecording(project);
      project.install(...examplePackages(tarball, runtime));
      await checkExamples(project);
    },
  });
}
