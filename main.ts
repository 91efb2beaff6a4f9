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
  const program = buildProgram();
  if (process.argv.length > 2) await program.parseAsync(process.argv);
  else program.outputHelp();
  exitCode = Number(process.exitCode ?? 0);
} catch (error) {
  exitCode = reportError(error, process.argv.includes("--verbose"));
}
process.exit(exitCode);
