/**
 * Runs the command line.
 *
 * @module
 */
import process from "node:process";
import { ignoresHangup } from "./commands/hangup.ts";
import { optimizeLongCommand } from "./lib/runtime/runtime.ts";

/** The commands that keep running when the terminal closes, if `nohup` started them. */
const SURVIVE_HANGUP: (string | undefined)[] = ["batch", "worker"];

/** Runs the command line and returns the exit code. Modules are loaded on demand, for a fast start. */
async function run(args: readonly string[]): Promise<number> {
  try {
    if (args.length === 0) {
      const { welcome } = await import("./commands/welcome.ts");
      const { writeOutput } = await import("./commands/terminal/output.ts");
      writeOutput(welcome());
    } else if (args.length === 1 && args[0] === "version") {
      // Scripts call this often, and it does not need the argument parser.
      const { printVersion } = await import("./commands/print_version.ts");
      printVersion();
    } else {
      const { runProgram } = await import("./commands/program.ts");
      await runProgram(args);
    }
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const { exitCodeOf, reportError } = await import("./commands/errors/report.ts");
    reportError(error, args.includes("--verbose"));
    return exitCodeOf(error);
  }
}

const args = process.argv.slice(2);
// Must come before the first await: see `ignoresHangup`.
if (SURVIVE_HANGUP.includes(args.find((arg) => !arg.startsWith("-")))) ignoresHangup();
optimizeLongCommand();
process.exit(await run(args));
