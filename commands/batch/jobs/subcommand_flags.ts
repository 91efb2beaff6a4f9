/**
 * The flags of `flexllm batch status` and `flexllm batch cancel`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { ConfigurationError } from "../../../lib/errors.ts";
import { quoted } from "../../terminal/format.ts";
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

/** The flags of a subcommand. */
export interface SubcommandFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
  json?: true;
  quiet?: true;
  verbose?: true;
  config?: string;
  /** Seconds. */
  pollInterval?: number;
}

/**
 * The flags of a subcommand. Commander takes those that `flexllm batch` has as well for its own.
 *
 * @throws {ConfigurationError} if there is a `-o`: the word may have been meant as an input file
 */
export function subcommandFlags<F extends SubcommandFlags>(
  command: { name(): string; optsWithGlobals(): unknown },
): F {
  const { output, model, ...flags } = command.optsWithGlobals() as F & {
    output?: string;
    model?: string | string[];
  };
  if (output !== undefined) throw outputFlag(command.name(), output);
  return { ...flags, model: Array.isArray(model) ? model.at(-1) : model } as unknown as F;
}

function outputFlag(name: string, output: string): ConfigurationError {
  return new ConfigurationError(`flexllm batch ${name} has no flag -o`, {
    hint: `The result file is its argument: flexllm batch ${name} ${quoted(output)}\n` +
      `If ${name} is the input file, write ./${name}`,
  });
}
