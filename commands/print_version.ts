/**
 * The line that `flexllm version` prints, without the parser of arguments.
 *
 * @module
 */
import { VERSION } from "../lib/version.ts";
import { writeOutput } from "./terminal/output.ts";

/** Prints the version. */
export function printVersion(): void {
  writeOutput(`flexllm ${VERSION}\n`);
}
