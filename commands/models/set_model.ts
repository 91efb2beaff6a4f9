/**
 * `flexllm set-model`
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import { closest, distance } from "fastest-levenshtein";
import process from "node:process";
import { setDefault } from "../../lib/config/edit.ts";
import { defaultModel, overrides } from "../../lib/config/effective.ts";
import { type Config, readConfigText } from "../../lib/config/load.ts";
import { writeUserFile } from "../../lib/files/replace_file.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { readConfig } from "../connect.ts";
import { EXIT } from "../exit_codes.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { colored, writeNote, writeOutput } from "../terminal/output.ts";

/** The names that can be set: what `-m` calls the models, and the mock. */
function namesOf(config: Config): string[] {
  const names = (config.value.models ?? []).map(({ id, name = id }) => name);
  return [...new Set([...names, "mock"])];
}

function unknownName(name: string, config: Config, names: string[]): ConfigurationError {
  const guess = closest(name, names);
  const isNear = distance(name, guess) <= Math.max(2, name.length / 3);
  return new ConfigurationError(`no model "${name}" in ${config.file}`, {
    hint: isNear
      ? `Did you mean ${guess}?`
      : `Configured are ${names.join(", ")}. \`flexllm init\` adds one.`,
  });
}

async function pick(config: Config, names: string[]): Promise<string | undefined> {
  const { canAsk, choose } = await import("../terminal/prompts.ts");
  const current = config.value.default ?? undefined;
  if (!canAsk()) {
    writeNote("There is no terminal to choose at: name one of these, flexllm set-model NAME");
    writeOutput(`${names.join("\n")}\n`);
    process.exitCode = EXIT.usage;
    return undefined;
  }
  const ids = new Map(config.value.models?.map(({ id, name = id }) => [name, id]));
  const choices = names.map((name) => {
    const id = ids.get(name);
    return { value: name, label: name, hint: id === name ? undefined : id ?? "built in, no key" };
  });
  return await choose("Which model is to be asked by default?", choices, current);
}

/** The command. */
export function setModelCommand() {
  const command = new Command("set-model")
    .argument("[name]", "name of a configured model; chosen from a list when left out")
    .addOption(commonFlags.config)
    .action(async (argument, flags) => {
      const config = readConfig(flags.config);
      if (config.file === undefined) {
        throw new ConfigurationError("there is no configuration file to set the model in", {
          hint: "Run `flexllm init`.",
        });
      }
      const names = namesOf(config);
      const name = argument ?? await pick(config, names);
      if (name === undefined) return;
      const isKnown = names.includes(name) || config.value.models?.some(({ id }) => id === name);
      if (!isKnown) throw unknownName(name, config, names);
      const before = readConfigText(config.file);
      const after = setDefault(config.file, before, name);
      if (after !== before) writeUserFile(config.file, after, false);
      writeOutput(`The default model is ${name} now (${config.file}).\n`);
      const { model } = overrides(process.env);
      if (model !== undefined && defaultModel(config, process.env)?.source === model.source) {
        const told = `${model.source} is set and wins: ${model.value} is asked until it is unset.`;
        writeNote(colored("yellow", told));
      }
    });
  return addExamples(command, ["flexllm set-model", "flexllm set-model gpt-5.4-mini"]);
}
