/**
 * Prints the version without loading the argument parser.
 *
 * @module
 */
import { VERSION } from "../lib/version.ts";
import { writeOutput } from "./terminal/output.ts";

/** Prints the version. */
export function printVersion(): void {
  writeOutput(`flexllm ${VERSION}\n`);
}
