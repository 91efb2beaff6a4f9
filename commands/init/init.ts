/**
 * `flexllm init`
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { normalizeBaseUrl } from "../../lib/services/base_url.ts";
import { baseUrlOf, keyVariableOf, PROVIDER_NAMES } from "../../lib/services/providers.ts";
import { candidatePaths, homeFolder } from "../../lib/files/paths.ts";
import type { ModelEntry } from "../../lib/config/schema.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { type InitFlags, modelsOf, writeAdded, writeNew } from "./write.ts";
import { writeNote, writeOutput } from "../terminal/output.ts";

/** The file that is in force, or that will be once it is written. */
function targetFile(named: string | undefined): string {
  const { env } = process;
  const explicit = named ?? (env.FLEXLLM_CONFIG || undefined);
  if (explicit !== undefined) return explicit;
  const found = candidatePaths(env, process.cwd()).find((path) => existsSync(path));
  return found ?? join(homeFolder(env), "config.yaml");
}

/** The entry that the flags describe; `undefined` when they describe none. */
function entryOf(flags: InitFlags): ModelEntry | undefined {
  const { provider, baseUrl, apiKeyEnv, model } = flags;
  if (provider === undefined && baseUrl === undefined && model === undefined) {
    if (apiKeyEnv === undefined) return undefined;
    throw new ConfigurationError("--api-key-env goes with --provider or --base-url, and --model");
  }
  const server = baseUrl ?? baseUrlOf(provider ?? "auto");
  if (model === undefined || server === undefined) {
    const missing = model === undefined ? "--model" : "--base-url";
    throw new ConfigurationError(`${missing} is missing`, {
      hint: "A model is set up with --provider or --base-url, and --model.",
    });
  }
  if (provider === "mock") return { id: model, name: model, provider };
  const variable = apiKeyEnv ?? keyVariableOf(normalizeBaseUrl(server));
  return {
    id: model,
    name: model,
    ...provider === undefined ? {} : { provider },
    base_url: server,
    ...variable === undefined ? {} : { api_key: `\${${variable}}` },
  };
}

function tellMissing(entry: ModelEntry | undefined): void {
  const variable = /^\$\{(\w+)\}$/.exec(entry?.api_key ?? "${OPENAI_API_KEY}")?.[1];
  if (variable === undefined || process.env[variable]) return;
  if (entry !== undefined && entry.api_key === undefined) return;
  writeNote(`The key is read from ${variable}, which is not set yet: export ${variable}=…`);
}

/** Asks nothing: the template, or the model of the flags in a new or an old file. */
function initWithoutQuestions(file: string, flags: InitFlags): void {
  const entry = entryOf(flags);
  if (!existsSync(file)) {
    writeNew(file, entry);
    writeOutput(`Written: ${file}\n`);
  } else if (entry === undefined) {
    throw new ConfigurationError(`${file} is there already, and is left as it is`, {
      hint: "Change it with `flexllm config edit`, or add a model with --provider and --model.",
    });
  } else {
    const { models, default: old } = modelsOf(file);
    if (models.some(({ id, name = id }) => name === entry.name)) {
      throw new ConfigurationError(`${file} has a model called "${entry.name}" already`, {
        hint: "Change it with `flexllm config edit`.",
      });
    }
    writeAdded(file, entry, old === undefined);
    writeOutput(`Added ${entry.name} to ${file}\n`);
  }
  tellMissing(entry);
  writeNote("Next: flexllm test");
}

/** The command. */
export function initCommand() {
  const command = new Command("init")
    .option("-y, --yes", "ask nothing: write a commented template, or what the flags say")
    .addOption(
      new Option("--provider <name>", "service to ask").choices(
        PROVIDER_NAMES.filter((name) => name !== "auto"),
      ),
    )
    .option("--base-url <url>", "base URL of a server that is not listed, up to and with /v1")
    .option("--api-key-env <name>", "environment variable that holds the key")
    .option("-m, --model <name>", "model to ask")
    .option("--config <file>", "file to write; default the one in force, or ~/.flexllm/config.yaml")
    .addOption(commonFlags.verbose)
    .action(async ({ yes, config, ...flags }) => {
      const file = targetFile(config);
      if (flags.baseUrl !== undefined) normalizeBaseUrl(flags.baseUrl);
      if (flags.apiKeyEnv !== undefined && !/^\w+$/.test(flags.apiKeyEnv)) {
        throw new ConfigurationError("--api-key-env: expected the name of a variable, not a key");
      }
      const given = flags as InitFlags;
      if (yes) return initWithoutQuestions(file, given);
      const { expectTerminal } = await import("../terminal/prompts.ts");
      expectTerminal(
        "flexllm init",
        "Add --yes for a template, or --yes --provider openai --model NAME for a finished file.",
      );
      const { initByQuestions } = await import("./dialog.ts");
      await initByQuestions(file, given);
    });
  return addExamples(command, [
    "flexllm init",
    "flexllm init --yes",
    "flexllm init --yes --provider openrouter --model deepseek/deepseek-v3.2",
    "flexllm init --yes --base-url http://localhost:8000/v1 --model qwen3",
  ]);
}
