/** Starts `flexllm` in processes for which time passes faster. */
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { ROOT, type Running, start } from "../../support/cli.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary_folder.ts";
import project from "../../../deno.json" with { type: "json" };

/** How many times faster. */
const SPEED = 60;
const CLOCK = new URL("fast_clock.ts", import.meta.url).href;
/** All processes agree on the time. */
const ENV = { FAST_CLOCK: `${SPEED},${Date.now()}` };

/** The program, bundled with other timers: hundreds of processes start faster from a bundle. */
export class FastFlexllm implements Disposable {
  readonly #folder: TemporaryFolder = temporaryFolder();

  constructor() {
    const { unstable, compilerOptions, imports } = project;
    const config = this.#folder.write(
      "deno.json",
      JSON.stringify({ unstable, compilerOptions, imports: { ...imports, "node:timers": CLOCK } }),
    );
    // A copy: Deno adapts it to the other configuration.
    copyFileSync(`${ROOT}deno.lock`, this.#folder.file("deno.lock"));
    const flags = ["--quiet", "--platform", "deno", "--code-splitting", "--config", config];
    const output = ["--outdir", this.#folder.file("js"), `${ROOT}main.ts`];
    execFileSync(process.execPath, ["bundle", ...flags, ...output]);
    writeFileSync(config, JSON.stringify({ unstable }));
  }

  /** Starts a command. */
  start(args: readonly string[]): Running {
    const command = [process.execPath, "run", "--quiet", "-A", "--no-prompt", "--no-lock"];
    const main = this.#folder.file("js/main.js");
    // With `exec`, signals go to the process itself.
    const shell = ["-c", 'exec "$@"', "sh", ...command, main, ...args];
    return start([], { shell, env: ENV });
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
