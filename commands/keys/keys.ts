/**
 * Implements `flexllm keys`, which stores API keys in the system's keychain or a private file.
 *
 * @module
 */
import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import process from "node:process";
import { keyedServices } from "../../lib/keys/key_names.ts";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { writeOutput } from "../terminal/output.ts";

function listCommand() {
  const command = new Command("list")
    .description("list the stored keys, masked, and what overrides them")
    .option("--json", "print JSON")
    .addOption(commonFlags.verbose)
    .action(async ({ json = false }) => {
      const { listStoredKeys } = await import("./list_keys.ts");
      listStoredKeys(json);
    });
  return addExamples(command, ["flexllm keys", "flexllm keys list --json"]);
}

function setCommand() {
  const command = new Command("set")
    .description("store a key; prompts for it, or reads it from stdin")
    .argument("<name>")
    // Not in the help: a key among the arguments gets an explanation, and is not repeated.
    .argument("[rest...]")
    .usage("[options] <name>")
    .addOption(
      new Option("--store <place>", "where to store it (default: the keychain if there is one)")
        .choices(["keychain", "file"] as const),
    )
    .addOption(commonFlags.verbose)
    .action(async (name, rest, { store }) => {
      const { setKey } = await import("./set_key.ts");
      await setKey(name, rest, store);
    });
  const names = keyedServices().map(({ name }) => name).join(", ");
  addExamples(command, [
    "flexllm keys set openai",
    "flexllm keys set anthropic < key.txt",
    "pass show work/llm | flexllm keys set work",
    "flexllm keys set groq --store file",
  ]);
  return addNotes(command, [
    "NAME is a service or any other name. The key of a service is sent only to that service, and only if no flag, variable or " +
    `configuration gives another one. Services: ${names}.`,
    "Any other key is used where the configuration refers to it, for example as ${keys.work}.",
  ]);
}

function removeCommand() {
  const command = new Command("remove")
    .description("remove a stored key")
    .argument("<name>", "name of the key, as `flexllm keys` lists it")
    .addOption(commonFlags.verbose)
    .action(async (name) => {
      const { removeStoredKey } = await import("./remove_key.ts");
      await removeStoredKey(name);
    });
  return addExamples(command, ["flexllm keys remove openai"]);
}

function pathCommand() {
  const command = new Command("path")
    .description("print the path of the file that lists the keys")
    .action(async () => {
      const { keyFilePath } = await import("../../lib/keys/key_file.ts");
      writeOutput(`${keyFilePath(process.env)}\n`);
    });
  return addExamples(command, ["flexllm keys path"]);
}

/** Creates the command. */
export function keysCommand() {
  const command = new Command("keys")
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(setCommand())
    .addCommand(removeCommand())
    .addCommand(pathCommand());
  // As in their own help, without the argument that only explains a mistake.
  const createHelp = command.createHelp.bind(command);
  command.createHelp = () =>
    Object.assign(createHelp(), {
      subcommandTerm: (each: CommandUnknownOpts) => `${each.name()} ${each.usage()}`,
    });
  return addExamples(command, [
    "flexllm keys set openai",
    "flexllm keys",
    "flexllm keys remove openai",
  ]);
}
