/** Starts `flexllm` from source, in processes for which time passes faster. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT, type Running, start } from "../../support/cli.ts";
import type { TemporaryFolder } from "../../support/temporary_folder.ts";
import project from "../../../deno.json" with { type: "json" };

/** How many times faster. */
const SPEED = 60;
const CLOCK = new URL("fast_clock.ts", import.meta.url).href;
/** All processes agree on the time. */
const ENV = { FAST_CLOCK: `${SPEED},${Date.now()}` };

/** Starts commands with one Deno configuration, which replaces the timers. */
export class FastFlexllm {
  readonly #config: string;

  constructor(folder: TemporaryFolder) {
    // A copy: Deno adapts it to the other configuration.
    copyFileSync(`${ROOT}deno.lock`, join(folder.path, "deno.lock"));
    const { unstable, compilerOptions, imports } = project;
    this.#config = join(folder.path, "deno.json");
    writeFileSync(
      this.#config,
      JSON.stringify({
        unstable,
        compilerOptions,
        imports: { ...imports, "node:timers": CLOCK },
      }),
    );
  }

  /** Starts a command. */
  start(args: readonly string[]): Running {
    const deno = [process.execPath, "run", "--quiet", "-A", "--no-prompt"];
    const command = [...deno, "--config", this.#config, "--preload", CLOCK, `${ROOT}main.ts`];
    // With `exec`, signals go to the process itself.
    return start([], { shell: ["-c", 'exec "$@"', "sh", ...command, ...args], env: ENV });
  }
}
