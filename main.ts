/**
 * Runs the command line.
 *
 * @module
 */
import process from "node:process";

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

process.exit(await run(process.argv.slice(2)));
