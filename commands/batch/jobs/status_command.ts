/**
 * Defines `flexllm batch status`.
 *
 * @module
 */
import process from "node:process";
import type { StatusFlags } from "./status.ts";
import { addExamples } from "../../flags/shared_options.ts";
import { resultFileCommand, subcommandFlags } from "./subcommand_flags.ts";

/** The command. */
export function statusCommand() {
  const command = resultFileCommand("status", "show the provider jobs of a result file")
    .option("--offline", "show the last known state without querying the provider")
    .action(async (output, _, command) => {
      const flags = subcommandFlags<StatusFlags>(command);
      const { showStatus } = await import("./status.ts");
      process.exitCode = await showStatus(output, flags);
    });
  return addExamples(command, [
    "flexllm batch status answers.jsonl",
    "flexllm batch status answers.jsonl --json",
  ]);
}
