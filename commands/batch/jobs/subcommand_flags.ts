/**
 * The flags of `flexllm batch status` and `flexllm batch cancel`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { ConfigurationError } from "../../../lib/errors.ts";
import { modelFlags } from "../../flags/model.ts";
import { HELP_GROUPS } from "../../flags/help_groups.ts";
import { commonFlags } from "../../flags/shared_options.ts";

/** A subcommand for the result file that is its argument, with the flags for connecting. */
export function resultFileCommand(name: string, description: string) {
  return new Command(name)
    .description(description)
    .argument("<output>", "result file of the batch")
    .option("--json", "print JSON")
    .optionsGroup(HELP_GROUPS.model)
    .addOption(new Option("-m, --model <name>", "model of the jobs (default: as submitted)"))
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .optionsGroup("Options:")
    // Only to explain the mistake: `flexllm batch status -o out.jsonl` may mean an input file.
    .addOption(new Option("-o, --output <file>").hideHelp())
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

/**
 * Checks that a word like `status` was meant as the subcommand.
 *
 * @param parent the flags of `flexllm batch` before it
 * @throws {ConfigurationError} if flags of a batch are among the arguments
 */
export function checkSubcommand(
  name: string,
  own: { output?: string },
  parent: { output?: string } | undefined,
): void {
  const output = own.output ?? parent?.output;
  if (output === undefined) return;
  throw new ConfigurationError(`flexllm batch ${name} has no flag -o`, {
    hint: `The result file is its argument: flexllm batch ${name} ${output}\n` +
      `If ${name} is the input file, write ./${name}`,
  });
}
