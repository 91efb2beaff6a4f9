/**
 * The flags of `flexllm chat`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { extraBodyFlag } from "../flags/extra_body.ts";
import { commonFlags } from "../flags/shared_options.ts";
import { modelFlags } from "../flags/model.ts";

/** The command with its flags, without an action. */
export function command() {
  return new Command("chat")
    .argument("[message]", "the first message")
    .addOption(modelFlags.model)
    .addOption(modelFlags.system)
    .addOption(modelFlags.temperature)
    .addOption(modelFlags.maxTokens)
    .addOption(modelFlags.thinking)
    .addOption(extraBodyFlag)
    .option("-c, --continue", "continue the last conversation, from chat or ask")
    .addOption(
      new Option("--resume <id>", "resume this conversation").conflicts(["continue", "list"]),
    )
    .option("--list", "list saved conversations")
    .addOption(new Option("--delete <id>", "delete a conversation").conflicts(["list", "resume"]))
    .option("--json", "with --list: print JSON")
    .option("--no-save", "don't save this conversation")
    .option("--no-stream", "show each answer when it is complete")
    .option("--raw", "don't render Markdown")
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
export type ChatFlags = ReturnType<ReturnType<typeof command>["opts"]>;
