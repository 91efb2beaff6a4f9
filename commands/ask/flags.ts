/**
 * The flags of `flexllm ask`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { extraBodyFlag } from "../flags/extra_body.ts";
import { collect, integer } from "../flags/parse.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { modelFlags } from "../flags/model.ts";
import { schemaRetriesFlag } from "../flags/schema.ts";

/** The command with its flags, without an action. */
export function command() {
  return new Command("ask")
    .argument("[prompt...]", "the prompt; piped text is prepended")
    .addOption(modelFlags.model)
    .addOption(modelFlags.system)
    .addOption(modelFlags.temperature)
    .addOption(modelFlags.maxTokens)
    .addOption(modelFlags.thinking)
    .addOption(extraBodyFlag)
    .addOption(
      new Option("-f, --file <path>", "attach a text file, image, PDF or audio file (repeatable)")
        .argParser(collect),
    )
    .option("-c, --continue", "continue the last conversation, from ask or chat")
    .addOption(
      new Option("-n, --count <count>", "number of answers to request (default: 1)")
        .argParser(integer(1)),
    )
    .option("--template <name>", "insert the prompt into this template of the configuration")
    .addOption(
      new Option("--var <name=value>", "set a {{name}} in the template (repeatable)")
        .argParser(collect),
    )
    .option("--schema <file>", "JSON schema for the answer; only the value is printed")
    .addOption(schemaRetriesFlag)
    .option("--json", "print the answer, its usage and model as a JSON object")
    .option("--no-save", "don't save the conversation for -c")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.shortMaxWait)
    .addOption(modelFlags.allowPrivateUrls)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

/** The parsed flags. */
export type AskFlags = ReturnType<ReturnType<typeof command>["opts"]>;
