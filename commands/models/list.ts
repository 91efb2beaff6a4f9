/**
 * Implements `flexllm list`, which lists the configured models and batch endpoints.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { baseUrlOf } from "../../lib/services/providers.ts";
import { defaultModel, overrides } from "../../lib/config/effective.ts";
import { type KeyState, keyState } from "../../lib/config/key_state.ts";
import type { Config } from "../../lib/config/load.ts";
import { noModel } from "../../lib/config/missing_model.ts";
import { findModel, nameOf } from "../../lib/config/models.ts";
import type { EndpointEntry, ModelEntry } from "../../lib/config/schema.ts";
import { safeUrl } from "../../lib/redact.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { readConfig } from "../read_config.ts";
import { type Cell, table } from "../terminal/table.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";

function serverOf({ base_url, provider }: ModelEntry | EndpointEntry): string {
  if (base_url !== undefined) return safeUrl(base_url);
  if (provider === "mock") return "built in";
  return baseUrlOf(provider ?? "auto") ?? "";
}

/** Describes the state of a key. */
function keyCell({ state, variable, stored, masked }: KeyState): Cell {
  switch (state) {
    case "set":
      if (stored !== undefined) return `${masked} from keys.${stored}`;
      return variable === undefined ? `${masked} in the file` : `${masked} from ${variable}`;
    case "missing":
      return {
        text: variable === undefined
          ? `missing: flexllm keys set ${stored}`
          : `missing: set ${variable}`,
        style: "red",
      };
    case "placeholder":
      return { text: "placeholder", style: "red" };
    case "none":
      return { text: "none", style: "dim" };
  }
}

function toJson(config: Config, models: readonly ModelEntry[], marked: ModelEntry | undefined) {
  const { env } = process;
  const model = defaultModel(config, env);
  const { baseUrl, apiKey } = overrides(env);
  return {
    config: config.file ?? null,
    default: model === undefined ? null : { name: model.value, source: model.source },
    overrides: {
      base_url: baseUrl && { value: safeUrl(baseUrl.value), source: baseUrl.source },
      api_key: apiKey && { source: apiKey.source },
    },
    models: models.map((entry) => {
      const { state, variable, stored, masked } = keyState(entry, env);
      return {
        name: nameOf(entry),
        id: entry.id,
        provider: entry.provider ?? "auto",
        base_url: serverOf(entry),
        key: { state, variable, stored, masked },
        default: entry === marked,
      };
    }),
    endpoints: (config.value.batch?.endpoints ?? []).map((entry) => {
      const { state, variable, stored, masked } = keyState(entry, env);
      return {
        model: entry.model ?? null,
        provider: entry.provider ?? "auto",
        base_url: serverOf(entry),
        key: { state, variable, stored, masked },
      };
    }),
  };
}

function modelTable(models: readonly ModelEntry[], marked: ModelEntry | undefined): string[] {
  const rows = models.map((entry): Cell[] => [
    entry === marked ? { text: "*", style: "green" } : "",
    nameOf(entry),
    entry.id,
    entry.provider ?? "auto",
    serverOf(entry),
    keyCell(keyState(entry, process.env)),
  ]);
  const titles = ["", "name", "id", "provider", "base URL", "key"];
  return table(titles.map((title) => ({ title })), rows);
}

function endpointTable(endpoints: readonly EndpointEntry[]): string[] {
  const rows = endpoints.map((entry): Cell[] => [
    entry.model ?? "",
    entry.provider ?? "auto",
    serverOf(entry),
    keyCell(keyState(entry, process.env)),
  ]);
  return table(["model", "provider", "base URL", "key"].map((title) => ({ title })), rows);
}

/** Explains which model is the default and which variables override the file. */
function defaultLines(config: Config): string[] {
  const { env } = process;
  const effective = defaultModel(config, env);
  if (effective === undefined) return [];
  const lines = [`Default: ${effective.value} (${effective.source})`];
  const { model, baseUrl, apiKey } = overrides(env);
  const { default: named } = config.value;
  if (model !== undefined && named && named !== model.value) {
    lines.push(`${model.source} overrides "${named}" in the file.`);
  }
  if (baseUrl !== undefined) {
    lines.push(`Its server is ${safeUrl(baseUrl.value)} (${baseUrl.source}).`);
  }
  if (apiKey?.source === "FLEXLLM_API_KEY") lines.push("Its key is from FLEXLLM_API_KEY.");
  const showsFile = config.file === undefined || effective.source.startsWith(config.file);
  return showsFile ? lines : [...lines, `Configuration: ${config.file}`];
}

/** Creates the command. */
export function listCommand() {
  const command = new Command("list")
    .option("--json", "print JSON")
    .addOption(commonFlags.config)
    .action((flags) => {
      const config = readConfig(flags.config);
      const models = config.value.models ?? [];
      const name = defaultModel(config, process.env)?.value;
      const [marked] = findModel(config.value, name) ?? [];
      if (flags.json) return writeJson(toJson(config, models, marked));
      const endpoints = config.value.batch?.endpoints ?? [];
      if (models.length + endpoints.length === 0 && name === undefined) throw noModel(config);
      const sections = [
        models.length === 0 ? [] : modelTable(models, marked),
        defaultLines(config),
        endpoints.length === 0 ? [] : ["Batch endpoints:", ...endpointTable(endpoints)],
      ];
      const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
      writeOutput(`${text.join("\n\n")}\n`);
    });
  return addExamples(command, ["flexllm list", "flexllm list --json"]);
}
