/**
 * The entry of the command line.
 *
 * @module
 */
import process from "node:process";
import { reportError } from "./commands/report_error.ts";
import { buildProgram } from "./commands/program.ts";

let exitCode: number;
try {
  const args = process.argv.slice(2);
  if (args.length > 0) await (await buildProgram(args)).parseAsync(process.argv);
  else {
    const { welcome } = await import("./commands/welcome.ts");
    const { writeOutput } = await import("./commands/terminal.ts");
    writeOutput(welcome());
  }
  exitCode = Number(process.exitCode ?? 0);
} catch (error) {
  exitCode = reportError(error, process.argv.includes("--verbose"));
}
process.exit(exitCode);
