/**
 * Defines `flexllm batch cancel`.
 *
 * @module
 */
import process from "node:process";
import type { CancelFlags } from "./cancel_run.ts";
import { addExamples } from "../../flags/shared_options.ts";
import { jobFlags } from "./job_flags.ts";
import { resultFileCommand, subcommandFlags } from "./subcommand_flags.ts";

/** The command. */
export function cancelCommand() {
  const command = resultFileCommand("cancel", "cancel the provider jobs and collect what is done")
    .addOption(jobFlags.pollInterval)
    .option("-y, --yes", "don't ask for confirmation")
    .option("-q, --quiet", "print only errors")
    .action(async (output, _, command) => {
      const flags = subcommandFlags<CancelFlags>(command);
      const { cancelJobs } = await import("./cancel.ts");
      process.exitCode = await cancelJobs(output, flags);
    });
  return addExamples(command, [
    "flexllm batch cancel answers.jsonl",
    "flexllm batch cancel answers.jsonl -y",
  ]);
}
