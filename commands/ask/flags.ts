/**
 * The flags of `flexllm ask`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { extraBodyFlag } from "../flags/extra_body.ts";
import { modelFlags } from "../flags/model.ts";
import { collect, integer } from "../flags/parse.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { schemaRetriesFlag } from "../flags/schema.ts";

/** The command, with its flags and without what it does. */
export function command() {
  return new Command("ask")
    .argument("[question]", "the question; text that is piped in goes before it")
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
    .option("-c, --continue", "go on with the last conversation, from ask or chat")
    .addOption(
      new Option("-n, --count <count>", "answers to ask for, one after the other (default: 1)")
        .argParser(integer(1)),
    )
    .option("--template <name>", "put the question into this template of the configuration")
    .addOption(
      new Option("--var <name=value>", "value of a {{name}} in it; can be given again")
        .argParser(collect),
    )
    .option("--schema <file>", "JSON schema that the answer must fit; only its value is printed")
    .addOption(schemaRetriesFlag)
    .option("--json", "print the answer with usage and model as one JSON object")
    .option("--no-save", "do not keep the question and its answer for -c")
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.shortMaxWait)
    .addOption(modelFlags.allowPrivateUrls)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

/** The values of the flags. */
export type AskFlags = ReturnType<ReturnType<typeof command>["opts"]>;
