/**
 * Defines the flags and help sections that all commands share.
 *
 * @module
 */
import { type Command, Option } from "@commander-js/extra-typings";
import { HELP_GROUPS } from "./help_groups.ts";

/** Flags of every command that reads the configuration. */
export const commonFlags = {
  config: new Option("--config <file>", "configuration file to use"),
  verbose: new Option("--verbose", "verbose output on stderr, with stack traces"),
} as const;

/** Flags of commands that can share limits, a cache or work with other processes. */
export const redisFlags = {
  redis: new Option(
    "--redis <url>",
    "Redis or Valkey server to share cache, limits and budget through (env: FLEXLLM_REDIS_URL)",
  ).helpGroup(HELP_GROUPS.fleet),
  onStoreLoss: new Option(
    "--on-store-loss <policy>",
    "what happens while it cannot be used (default: rates=divide,budget=stop)",
  ).helpGroup(HELP_GROUPS.fleet),
} as const;

/** Adds an "Examples" section to the end of a command's help. */
export function addExamples<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  examples: readonly string[],
): Command<A, O> {
  return command.addHelpText("after", `\nExamples:\n${examples.map((e) => `  ${e}`).join("\n")}`);
}
