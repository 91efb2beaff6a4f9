/**
 * The flags of `flexllm chat`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { answerFlags } from "../flags/answer.ts";
import { collect, integer } from "../flags/parse.ts";
import { redisFlags } from "../flags/redis.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { logFlags } from "../flags/log.ts";
import { modelFlags } from "../flags/model.ts";
import { templateFlags } from "../flags/saved_template.ts";
import { addSamplingFlags } from "../flags/sampling.ts";

/** The command with its flags, without an action. */
export function command() {
  const prompted = new Command("chat")
    .argument("[message]", "the first message")
    .addOption(modelFlags.model)
    .addOption(modelFlags.baseUrl)
    .addOption(modelFlags.apiKey)
    .optionsGroup(HELP_GROUPS.prompt)
    .addOption(modelFlags.system)
    .addOption(templateFlags.as)
    .addOption(templateFlags.var)
    .addOption(
      new Option(
        "-f, --file <path>",
        "attach a file, a pattern or a URL to the first message (repeatable)",
      )
        .argParser(collect),
    );
  return addSamplingFlags(prompted)
    .optionsGroup(HELP_GROUPS.conversation)
    .option("--continue", "continue the last conversation, from chat or ask")
    .addOption(
      new Option(
        "--resume <conversation>",
        "resume a conversation: its # in --list, its ID, or words from it",
      ).conflicts(["continue", "list"]),
    )
    .option("--list [text]", "list saved conversations, or those that contain a text")
    .addOption(
      new Option("-n, --count <count>", "with --list: maximum number (default: 20)")
        .argParser(integer(1)),
    )
    .addOption(
      new Option("--delete <conversation...>", "delete conversations").conflicts([
        "list",
        "resume",
        "continue",
      ]),
    )
    .option("-y, --yes", "with --delete: don't ask for confirmation")
    .option("--save", "save the conversation (default, unless the configuration says otherwise)")
    .option("--no-save", "don't save it")
    .optionsGroup(HELP_GROUPS.output)
    .option("--json", "with --list: print JSON")
    .option("--no-stream", "show each answer when it is complete")
    .addOption(answerFlags.raw)
    .addOption(answerFlags.showThinking)
    .addOption(answerFlags.noShowThinking)
    .addOption(modelFlags.timeout)
    .addOption(modelFlags.retryTimes)
    .addOption(modelFlags.shortMaxWait)
    .addOption(modelFlags.allowPrivateUrls)
    .addOption(logFlags.level)
    .addOption(logFlags.file)
    .addOption(logFlags.maxSize)
    .addOption(logFlags.content)
    .optionsGroup("Options:")
    .addOption(redisFlags.redis)
    .addOption(redisFlags.onStoreLoss)
    .addOption(commonFlags.config)
    .addOption(commonFlags.verbose);
}

/** The parsed flags. */
export type ChatFlags = ReturnType<ReturnType<typeof command>["opts"]>;
