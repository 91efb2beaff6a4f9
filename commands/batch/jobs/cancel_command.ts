/**
 * Defines `flexllm batch cancel`.
 *
 * @module
 */
import process from "node:process";
import { addExamples } from "../../flags/shared_options.ts";
import { checkSubcommand, resultFileCommand } from "./subcommand_flags.ts";

/** The command. */
export function cancelCommand() {
  const command = resultFileCommand("cancel", "cancel the provider jobs and collect what is done")
    .option("-y, --yes", "don't ask for confirmation")
    .option("-q, --quiet", "print only errors")
    .action(async (output, flags, command) => {
      checkSubcommand("cancel", flags, command.parent?.opts());
      const { cancelJobs } = await import("./cancel.ts");
      process.exitCode = await cancelJobs(output, flags);
    });
  return addExamples(command, [
    "flexllm batch cancel answers.jsonl",
    "flexllm batch cancel answers.jsonl -y",
  ]);
}
