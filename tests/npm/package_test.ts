/**
 * The npm package, installed from its tarball into an empty project: imported, type-checked and run on
 * Node 22, Node 24 and Bun. Needs npm's registry, so it runs only where FLEXLLM_TEST_NPM is set.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { buildPackage } from "../../scripts/npm.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const ignore = process.env.FLEXLLM_TEST_NPM !== "1";

const NPM_FLAGS = ["--no-audit", "--no-fund", "--silent"];

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

/** A project with the package in it, on one version of a runtime. */
class Project {
  readonly path: string;
  readonly #env: Record<string, string>;

  constructor(folder: TemporaryFolder, tarball: string, readonly runtime: string) {
    this.path = folder.file(`project-${runtime.replace("@", "-")}`);
    mkdirSync(join(this.path, "home"), { recursive: true });
    writeFileSync(join(this.path, "package.json"), '{"private":true,"type":"module"}\n');
    execFileSync("npm", ["install", ...NPM_FLAGS, tarball, runtime], { cwd: this.path });
    this.#env = {
      PATH: `${join(this.path, "node_modules", ".bin")}:${process.env.PATH}`,
      HOME: join(this.path, "home"),
      NO_COLOR: "1",
    };
  }

  run(command: string, args: readonly string[]): string {
    return execFileSync(command, args, {
      cwd: this.path,
      env: this.#env,
      encoding: "utf8",
      timeout: 120_000,
    });
  }

  /** What runs the package's command: its own shebang on Node, Bun by name. */
  command(...args: string[]): [string, string[]] {
    const cli = join(this.path, "node_modules", ".bin", "flexllm");
    return this.runtime.startsWith("bun") ? ["bun", [cli, ...args]] : [cli, args];
  }

  /** Starts `flexllm mock` on a free port and sends it a request. */
  async mockAnswers(): Promise<number> {
    const [file, args] = this.command("mock", "-p", "0");
    const child = spawn(file, args, { cwd: this.path, env: this.#env });
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let output = "";
        const read = (chunk: unknown) => {
          output += chunk;
          const found = output.match(/http:\/\/127\.0\.0\.1:\d+/);
          if (found) resolve(found[0]);
        };
        child.stdout.on("data", read);
        child.stderr.on("data", read);
        child.on("close", (code) => reject(new Error(`the mock ended with ${code}: ${output}`)));
      });
      const response = await fetch(`${url}/v1/models`);
      await response.body?.cancel();
      return response.status;
    } finally {
      child.removeAllListeners("close");
      child.kill();
    }
  }
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

for (const runtime of ["node@22", "node@24", "bun@1.4.5"]) {
  Deno.test({
    name: `the npm package works on ${runtime}`,
    ignore,
    async fn() {
      using folder = temporaryFolder();
      const output = join(import.meta.dirname!, "..", "..", "dist", "npm");
      const tarball = readdirSync(output).find((name) => name.endsWith(".tgz"))!;
      const project = new Project(folder, join(output, tarball), runtime);
      execFileSync("npm", ["install", ...NPM_FLAGS, "typescript@5.9.3", "@types/node@22"], {
        cwd: project.path,
      });
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
      const program = project.runtime.startsWith("bun") ? "bun" : "node";
      assert.deepEqual(JSON.parse(project.run(program, ["library.js"])), {
        answered: true,
        cached: true,
        streamed: true,
        batch: ["success", "success"],
        exports: ["function", "function"],
      });
      const [file, args] = project.command("ask", "-m", "mock", "What is Python?");
      assert.match(project.run(file, args), /You asked: "What is Python\?"/);
      assert.equal(await project.mockAnswers(), 200);
    },
  });
}
