/**
 * Prints the version without loading the argument parser.
 *
 * @module
 */
import { VERSION } from "../lib/version.ts";
import { writeRendered } from "./terminal/output.ts";

/** Prints the version. */
export function printVersion(): void {
  // Without looking up whether stdout is a terminal, which takes Bun twice as long as all the rest.
  writeRendered(`flexllm ${VERSION}\n`);
}
