/**
 * The flags of `flexllm ask`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { answerFlags } from "../flags/answer.ts";
import { collect, integer } from "../flags/parse.ts";
import { addNotes } from "../flags/help_notes.ts";
import { redisFlags } from "../flags/redis.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { logFlags } from "../flags/log.ts";
import { modelFlags } from "../flags/model.ts";
import { addSamplingFlags } from "../flags/sampling.ts";
import { templateFlags } from "../flags/saved_template.ts";
import { schemaFlag, schemaRetriesFlag } from "../flags/schema.ts";

/** The notes below the flags. */
const ATTACHMENT_NOTES: readonly string[] = [
  "Attachments: text of any kind (code, Markdown, CSV, JSON), images (PNG, JPEG, GIF, WebP), PDF and " +
  "audio, recognized by their content. -f '*.png' or 'src/**' attaches all files that match, sorted; " +
  "-f https://… attaches a web page as text, or the image, PDF or audio that is there; -f - attaches " +
  "standard input, text or binary.",
];

/** The command with its flags, without an action. */
export function command() {
  const prompted = new Command("ask")
    .argument("[prompt...]", "the prompt; piped text is prepended")
    .addOption(modelFlags.model)
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .optionsGroup(HELP_GROUPS.prompt)
    .addOption(modelFlags.system)
    .addOption(
      new Option(
        "-f, --file <path>",
        "attach a file, a pattern, a URL, or - for stdin (repeatable)",
      )
        .argParser(collect),
    )
    .addOption(templateFlags.as)
    .addOption(templateFlags.var)
    .addOption(new Option("--template <name>", "now --as").hideHelp().conflicts("as"));
  const ask = addSamplingFlags(prompted)
    .optionsGroup(HELP_GROUPS.schema)
    .addOption(schemaFlag)
    .addOption(schemaRetriesFlag)
    .optionsGroup(HELP_GROUPS.conversation)
    .option("--continue", "continue the last conversation, from ask or chat")
    .option("--save", "save the conversation (default, unless the configuration says otherwise)")
    .option("--no-save", "don't save it")
    .optionsGroup(HELP_GROUPS.output)
    .addOption(
      new Option("-n, --count <count>", "number of answers to request (default: 1)")
        .argParser(integer(1)),
    )
    .addOption(answerFlags.raw)
    .addOption(answerFlags.showThinking)
    .addOption(answerFlags.noShowThinking)
    .option("--json", "print the answer, its usage and model as a JSON object")
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.shortMaxWait)
    .addOption(modelFlags.allowPrivateUrls)
    .optionsGroup(HELP_GROUPS.cost)
    .option("--cache", "use the response cache")
    .option("--no-cache", "ignore the cache, overriding the configuration")
    .addOption(logFlags.level)
    .addOption(logFlags.file)
    .addOption(logFlags.maxSize)
    .addOption(logFlags.content)
    .optionsGroup("Options:")
    .addOption(redisFlags.redis)
    .addOption(redisFlags.onStoreLoss)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
  return addNotes(ask, ATTACHMENT_NOTES);
}

/** The parsed flags. */
export type AskFlags = ReturnType<ReturnType<typeof command>["opts"]>;
