/**
 * The flags of `flexllm ask`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { extraBodyFlag } from "../flags/extra_body.ts";
import { collect, integer } from "../flags/parse.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { modelFlags } from "../flags/model.ts";
import { samplingFlags } from "../flags/sampling.ts";
import { schemaRetriesFlag } from "../flags/schema.ts";

/** The command with its flags, without an action. */
export function command() {
  return new Command("ask")
    .argument("[prompt...]", "the prompt; piped text is prepended")
    .addOption(modelFlags.model)
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .optionsGroup(HELP_GROUPS.prompt)
    .addOption(modelFlags.system)
    .addOption(
      new Option("-f, --file <path>", "attach a text file, image, PDF or audio file (repeatable)")
        .argParser(collect),
    )
    .option("--template <name>", "insert the prompt into this template of the configuration")
    .addOption(
      new Option("--var <name=value>", "set a {{name}} in the template (repeatable)")
        .argParser(collect),
    )
    .addOption(samplingFlags.temperature)
    .addOption(samplingFlags.topP)
    .addOption(samplingFlags.topK)
    .addOption(samplingFlags.maxTokens)
    .addOption(samplingFlags.thinking)
    .addOption(samplingFlags.stop)
    .addOption(samplingFlags.seed)
    .addOption(samplingFlags.presencePenalty)
    .addOption(samplingFlags.frequencyPenalty)
    .addOption(extraBodyFlag)
    .optionsGroup(HELP_GROUPS.schema)
    .option("--schema <file>", "JSON Schema that the answer must match; prints only its value")
    .addOption(schemaRetriesFlag)
    .optionsGroup(HELP_GROUPS.conversation)
    .option("--continue", "continue the last conversation, from ask or chat")
    .option("--no-save", "don't save the conversation for --continue")
    .optionsGroup(HELP_GROUPS.output)
    .addOption(
      new Option("-n, --count <count>", "number of answers to request (default: 1)")
        .argParser(integer(1)),
    )
    .option("--json", "print the answer, its usage and model as a JSON object")
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.shortMaxWait)
    .addOption(modelFlags.allowPrivateUrls)
    .optionsGroup(HELP_GROUPS.cost)
    .option("--cache", "use the response cache")
    .option("--no-cache", "ignore the cache, overriding the configuration")
    .optionsGroup("Options:")
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

/** The parsed flags. */
export type AskFlags = ReturnType<ReturnType<typeof command>["opts"]>;
