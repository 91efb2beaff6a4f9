/**
 * Implements `flexllm init`, which creates or extends the configuration file.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { normalizeBaseUrl } from "../../lib/services/base_url.ts";
import { baseUrlOf, PROVIDER_NAMES } from "../../lib/services/providers.ts";
import { candidatePaths, homeFolder } from "../../lib/files/paths.ts";
import { keyState } from "../../lib/config/key_state.ts";
import { nameOf } from "../../lib/config/models.ts";
import { soleVariable } from "../../lib/config/references.ts";
import type { ModelEntry } from "../../lib/config/schema.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { howToSet, requiredVariable } from "./how_to_set.ts";
import { addToFile, type InitFlags, modelsOf, writeNewFile } from "./write.ts";
import { writeNote, writeOutput } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";

/** The effective configuration file, or the one to create. */
function targetFile(named: string | undefined): string {
  const { env } = process;
  const explicit = named ?? (env.FLEXLLM_CONFIG || undefined);
  if (explicit !== undefined) return explicit;
  const found = candidatePaths(env, process.cwd()).find((path) => existsSync(path));
  return found ?? join(homeFolder(env), "config.yaml");
}

/** The model that the flags describe; `undefined` without flags. */
function entryOf(flags: InitFlags): ModelEntry | undefined {
  const { provider, baseUrl, apiKeyEnv, model } = flags;
  if (provider === undefined && baseUrl === undefined && model === undefined) {
    if (apiKeyEnv === undefined) return undefined;
    throw new ConfigurationError("--api-key-env requires --provider or --base-url, and --model");
  }
  const server = baseUrl ?? baseUrlOf(provider ?? "auto");
  if (model === undefined || server === undefined) {
    const missing = model === undefined ? "--model" : "--provider or --base-url";
    throw new ConfigurationError(`${missing} is missing`, {
      hint: "To set up a model, pass --provider or --base-url, and --model.",
    });
  }
  if (provider === "mock") return { id: model, name: model, provider };
  const variable = apiKeyEnv ?? requiredVariable(server);
  return {
    id: model,
    name: model,
    ...provider === undefined ? {} : { provider },
    base_url: server,
    ...variable === undefined ? {} : { api_key: `\${${variable}}` },
  };
}

/** Notes where the key is read from, if it is not there. */
function warnMissingKey(entry: ModelEntry | undefined): void {
  const { env } = process;
  const { api_key = "", ...server } = entry ??
    { api_key: "${OPENAI_API_KEY}", provider: "openai" as const };
  const variable = soleVariable(api_key);
  if (variable === undefined || keyState({ api_key, ...server }, env).state === "set") return;
  writeSentences(`The key is read from ${variable}, which is not set yet: ${howToSet(variable)}`);
}

/** Without prompts: writes the template, or the model that the flags describe. */
function initWithoutPrompts(file: string, flags: InitFlags): void {
  const entry = entryOf(flags);
  if (!existsSync(file)) {
    writeNewFile(file, entry);
    writeOutput(`Created ${file}\n`);
  } else if (entry === undefined) {
    throw new ConfigurationError(`${file} already exists; not changed`, {
      hint: "Edit it with `flexllm config edit`, or add a model with --provider and --model.",
    });
  } else {
    const { models, default: old } = modelsOf(file);
    if (models.some((each) => nameOf(each) === entry.name)) {
      throw new ConfigurationError(`${file} already has a model called "${entry.name}"`, {
        hint: "Edit it with `flexllm config edit`.",
      });
    }
    addToFile(file, entry, old === undefined);
    writeOutput(`Added ${entry.name} to ${file}\n`);
  }
  warnMissingKey(entry);
  writeNote("Next: flexllm test");
}

/** Creates the command. */
export function initCommand() {
  const command = new Command("init")
    .option("-y, --yes", "don't prompt; write a commented template or the given values")
    .addOption(
      new Option("--provider <name>", "provider to use").choices(
        PROVIDER_NAMES.filter((name) => name !== "auto"),
      ),
    )
    .option("--base-url <url>", "base URL of any other server, including /v1")
    .option("--api-key-env <name>", "environment variable that holds the API key")
    .option("-m, --model <name>", "model to use")
    .option(
      "--config <file>",
      "file to write (default: the effective one, or ~/.flexllm/config.yaml)",
    )
    .addOption(commonFlags.verbose)
    .action(async ({ yes, config, ...flags }) => {
      const file = targetFile(config);
      if (flags.baseUrl !== undefined) normalizeBaseUrl(flags.baseUrl);
      if (flags.apiKeyEnv !== undefined && !/^\w+$/.test(flags.apiKeyEnv)) {
        throw new ConfigurationError(
          "--api-key-env: expected the name of an environment variable, not a key",
        );
      }
      const given = flags as InitFlags;
      if (yes) return initWithoutPrompts(file, given);
      const { requireTerminal } = await import("../terminal/prompts.ts");
      requireTerminal(
        "flexllm init",
        "Add --yes to write a template, or --yes --provider openai --model NAME to set up a model.",
      );
      const { runInitDialog } = await import("./dialog.ts");
      await runInitDialog(file, given);
    });
  return addExamples(command, [
    "flexllm init",
    "flexllm init --yes",
    "flexllm init --yes --provider openrouter --model deepseek/deepseek-v3.2",
    "flexllm init --yes --base-url http://localhost:8000/v1 --model qwen3",
  ]);
}
