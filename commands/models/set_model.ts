/**
 * Implements `flexllm set-model`, which sets the default model in the configuration.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { closest, distance } from "fastest-levenshtein";
import process from "node:process";
import { setDefault } from "../../lib/config/edit.ts";
import { defaultModel, overrides } from "../../lib/config/effective.ts";
import { type Config, readConfigText } from "../../lib/config/load.ts";
import { findModel, nameOf, selectableModels } from "../../lib/config/models.ts";
import { writeUserFile } from "../../lib/files/replace_file.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { readConfig } from "../read_config.ts";
import { colored, writeOutput } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";

function unknownName(name: string, config: Config, names: string[]): ConfigurationError {
  const guess = closest(name, names);
  const isNear = distance(name, guess) <= Math.max(name.length < 4 ? 1 : 2, name.length / 3);
  return new ConfigurationError(`no model "${name}" in ${config.file}`, {
    hint: isNear
      ? `Did you mean ${guess}?`
      : `Configured models: ${names.join(", ")}. To add one, run \`flexllm init\`.`,
  });
}

async function promptName(config: Config, names: string[]): Promise<string | undefined> {
  const { canPrompt, promptChoice } = await import("../terminal/prompts.ts");
  const current = config.value.default ?? undefined;
  if (!canPrompt()) {
    writeSentences(
      "There is no terminal for prompts: run `flexllm set-model NAME` with one of these names",
    );
    writeOutput(`${names.join("\n")}\n`);
    process.exitCode = EXIT.usage;
    return undefined;
  }
  const ids = new Map(config.value.models?.map((entry) => [nameOf(entry), entry.id]));
  const choices = names.map((name) => {
    const id = ids.get(name);
    return { value: name, label: name, hint: id === name ? undefined : id ?? "built in, no key" };
  });
  return await promptChoice("Which model should be the default?", choices, current);
}

/** Creates the command. */
export function setModelCommand() {
  const command = new Command("set-model")
    .argument("[name]", "name of a configured model (default: choose from a list)")
    .addOption(commonFlags.config)
    .action(async (argument, flags) => {
      const config = readConfig(flags.config);
      if (config.file === undefined) {
        throw new ConfigurationError("there is no configuration file", {
          hint: "Run `flexllm init` to create one.",
        });
      }
      const names = selectableModels(config.value);
      const name = argument ?? await promptName(config, names);
      if (name === undefined) return;
      if (!names.includes(name) && findModel(config.value, name) === undefined) {
        throw unknownName(name, config, names);
      }
      const before = readConfigText(config.file);
      const after = setDefault(config.file, before, name);
      if (after !== before) writeUserFile(config.file, after, false);
      writeOutput(`The default model is now ${name} (${config.file}).\n`);
      const { model } = overrides(process.env);
      if (model !== undefined && defaultModel(config, process.env)?.source === model.source) {
        const note =
          `${model.source} is set and overrides it: ${model.value} is used until you unset it.`;
        writeSentences(colored("yellow", note));
      }
    });
  return addExamples(command, ["flexllm set-model", "flexllm set-model gpt-5.4-mini"]);
}
