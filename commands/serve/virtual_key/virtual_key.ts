/**
 * Defines `flexllm serve virtual-key`, which manages the keys of the gateway's clients.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { addNotes } from "../../flags/help_notes.ts";
import { duration } from "../../flags/parse.ts";
import { redisFlags } from "../../flags/redis.ts";
import { addExamples, commonFlags } from "../../flags/shared_options.ts";
import { databaseFlag } from "../database_flag.ts";
import { type KeyCommandFlags, limitFlags } from "./key_flags.ts";

/** A year: a longer grace period is a mistake. */
const MAX_GRACE = 366 * 86_400;

function subcommand(name: string, description: string) {
  return new Command(name).description(description);
}

/** The flags of a subcommand, with those that Commander assigns to `flexllm serve`. */
function flagsOf(command: { optsWithGlobals(): unknown }): KeyCommandFlags {
  return command.optsWithGlobals() as KeyCommandFlags;
}

function createCommand() {
  const command = subcommand("create", "create a key and print it, once")
    .argument("<name>", "unique name");
  for (const option of limitFlags()) command.addOption(option);
  command.addOption(databaseFlag())
    .addOption(redisFlags.redis)
    .addOption(commonFlags.config)
    .action(async (name, _, command) => {
      const { createKey } = await import("./issue_key.ts");
      await createKey(name, flagsOf(command));
    });
  addExamples(command, [
    "flexllm serve virtual-key create alice",
    "flexllm serve virtual-key create alice --budget-month 20 --rpm 60 > alice.key",
    "flexllm serve virtual-key create ci --model gpt-5.4-mini --budget-total 5 --expires 30d",
    "flexllm serve virtual-key create bob --team research --expires 2030-12-31",
  ]);
  return addNotes(command, [
    "The key is the only output on stdout. Only its hash is stored, so it cannot be shown again. A running " +
    "gateway accepts it within a second.",
    "Budgets are in USD, and days and months begin at midnight UTC.",
  ]);
}

function updateCommand() {
  const command = subcommand("update", 'change a key; "none" removes a limit')
    .argument("<key>", "name of the key");
  for (const option of limitFlags()) command.addOption(option);
  command.option("--name <name>", "new name")
    .addOption(databaseFlag())
    .addOption(redisFlags.redis)
    .addOption(commonFlags.config)
    .action(async (name, _, command) => {
      const { updateKey } = await import("./change_key.ts");
      await updateKey(name, flagsOf(command));
    });
  return addExamples(command, [
    "flexllm serve virtual-key update alice --budget-month 50",
    "flexllm serve virtual-key update alice --rpm none --expires none",
  ]);
}

function listCommand() {
  const command = subcommand("list", "list the keys with their limits and spending")
    .option("--json", "print JSON")
    .addOption(databaseFlag())
    .addOption(redisFlags.redis)
    .addOption(commonFlags.config)
    .action(async (_, command) => {
      const { listKeys } = await import("./list_keys.ts");
      await listKeys(flagsOf(command));
    });
  return addExamples(command, [
    "flexllm serve virtual-key list",
    "flexllm serve virtual-key list --json",
  ]);
}

function rotateCommand() {
  const command = subcommand("rotate", "give a key a new secret and print it, once")
    .argument("<key>", "name of the key")
    .addOption(
      new Option(
        "--grace <duration>",
        "how long the old secret works, e.g. 1d (default: not at all)",
      )
        .argParser(duration(MAX_GRACE)),
    )
    .addOption(databaseFlag())
    .addOption(redisFlags.redis)
    .addOption(commonFlags.config)
    .action(async (name, _, command) => {
      const { rotateKey } = await import("./issue_key.ts");
      await rotateKey(name, flagsOf(command));
    });
  return addExamples(command, [
    "flexllm serve virtual-key rotate alice",
    "flexllm serve virtual-key rotate alice --grace 1d",
  ]);
}

/** A subcommand that only names a key. */
function changeCommand(action: "disable" | "enable" | "delete", description: string) {
  const command = subcommand(action, description)
    .argument("<key>", "name of the key")
    .addOption(databaseFlag())
    .addOption(redisFlags.redis)
    .addOption(commonFlags.config)
    .action(async (name, _, command) => {
      const { changeKey } = await import("./change_key.ts");
      await changeKey(action, name, flagsOf(command));
    });
  return addExamples(command, [`flexllm serve virtual-key ${action} alice`]);
}

/** The command. */
export function virtualKeyCommand() {
  const command = new Command("virtual-key")
    .description("create, list, change and delete the keys of clients")
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(updateCommand())
    .addCommand(changeCommand("disable", "refuse a key from now on"))
    .addCommand(changeCommand("enable", "accept a disabled key again"))
    .addCommand(rotateCommand())
    .addCommand(changeCommand("delete", "delete a key; its spending stays in the totals"));
  return addExamples(command, [
    "flexllm serve virtual-key create alice --budget-month 20",
    "flexllm serve virtual-key list",
    "flexllm serve virtual-key disable alice",
  ]);
}
