/**
 * Defines the flags and help sections that all commands share.
 *
 * @module
 */
import { type Command, Option } from "@commander-js/extra-typings";

/** Flags of every command that reads the configuration. */
export const commonFlags = {
  config: new Option("--config <file>", "configuration file to use"),
  verbose: new Option("--verbose", "verbose output on stderr, with stack traces"),
} as const;

/** Adds an "Examples" section to the end of a command's help. */
export function addExamples<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  examples: readonly string[],
): Command<A, O> {
  return command.addHelpText("after", `\nExamples:\n${examples.map((e) => `  ${e}`).join("\n")}`);
}
