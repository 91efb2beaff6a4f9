/**
 * A project on Node or Bun with the npm package in it. Needs npm's registry, so tests that use it run only
 * where FLEXLLM_TEST_NPM is set.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

/** Whether these tests are skipped. */
export const ignore = process.env.FLEXLLM_TEST_NPM !== "1";

/** The runtimes that the package supports. */
export const RUNTIMES = ["node@22", "node@24", "bun@1.4.5"] as const;

const NPM_FLAGS = ["--no-audit", "--no-fund", "--silent"];

/** A project with the package in it, on one version of a runtime. */
export class Project {
  /** Its folder. */
  readonly path: string;
  /** The environment of its commands. */
  readonly env: Record<string, string>;

  /**
   * Creates it and installs `packages`, one of which is the package itself.
   *
   * @param runtime an npm package with a version, such as `node@24`
   */
  constructor(folder: TemporaryFolder, packages: readonly string[], readonly runtime: string) {
    this.path = folder.file(`project-${runtime.replace("@", "-")}`);
    mkdirSync(join(this.path, "home"), { recursive: true });
    writeFileSync(join(this.path, "package.json"), '{"private":true,"type":"module"}\n');
    this.install(...packages, runtime);
    this.env = {
      PATH: `${join(this.path, "node_modules", ".bin")}:${process.env.PATH}`,
      HOME: join(this.path, "home"),
      NO_COLOR: "1",
    };
  }

  /** Whether the project runs on Bun. */
  get isBun(): boolean {
    return this.runtime.startsWith("bun");
  }

  /** The folder, the environment and the time limit of a command in the project. */
  get options() {
    return { cwd: this.path, env: this.env, timeout: 120_000 };
  }

  /** Installs packages from npm. */
  install(...packages: string[]): void {
    execFileSync("npm", ["install", ...NPM_FLAGS, ...packages], { cwd: this.path });
  }

  /** Runs a command in the project and returns its output. */
  run(command: string, args: readonly string[]): string {
    return execFileSync(command, args, { ...this.options, encoding: "utf8" });
  }

  /** What runs the package's command: its own shebang on Node, Bun by name. */
  command(...args: string[]): [string, string[]] {
    const cli = join(this.path, "node_modules", ".bin", "flexllm");
    return this.isBun ? ["bun", [cli, ...args]] : [cli, args];
  }

  /** Runs `use` with the URL of a `flexllm mock` on a free port, and stops it. */
  async withMock<T>(args: readonly string[], use: (url: string) => T | Promise<T>): Promise<T> {
    const [file, rest] = this.command("mock", "-p", "0", ...args);
    const child = spawn(file, rest, { cwd: this.path, env: this.env });
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let output = "";
        const read = (chunk: unknown) => {
          output += chunk;
          const found = output.match(/listening on (http:\/\/127\.0\.0\.1:\d+)/);
          if (found) resolve(found[1]);
        };
        child.stdout.on("data", read);
        child.stderr.on("data", read);
        child.on("close", (code) => reject(new Error(`the mock ended with ${code}: ${output}`)));
      });
      return await use(url);
    } finally {
      child.removeAllListeners("close");
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.kill();
      await closed;
    }
  }
}
