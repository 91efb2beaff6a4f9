/**
 * `flexllm list`
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { baseUrlOf } from "../../lib/services/providers.ts";
import { defaultModel, overrides } from "../../lib/config/effective.ts";
import type { KeyState } from "../../lib/config/key_state.ts";
import { keyState } from "../../lib/config/key_state.ts";
import type { Config } from "../../lib/config/load.ts";
import { noModel } from "../../lib/config/resolve_model.ts";
import type { EndpointEntry, ModelEntry } from "../../lib/config/schema.ts";
import { safeUrl } from "../../lib/redact.ts";
import { readConfig } from "../connect.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { type Cell, table } from "../terminal/table.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";

function serverOf({ base_url, provider }: ModelEntry | EndpointEntry): string {
  if (base_url !== undefined) return safeUrl(base_url);
  if (provider === "mock") return "built in";
  return baseUrlOf(provider ?? "auto") ?? "";
}

/** A key's state in a few words. */
export function keyCell({ state, variable, masked }: KeyState): Cell {
  switch (state) {
    case "set":
      return variable === undefined ? `${masked} in the file` : `${masked} from ${variable}`;
    case "missing":
      return { text: `missing: set ${variable}`, style: "red" };
    case "placeholder":
      return { text: "a placeholder", style: "red" };
    case "none":
      return { text: "none", style: "dim" };
  }
}

function toJson(config: Config, models: ModelEntry[], name: string | undefined) {
  const { env } = process;
  const found = defaultModel(config, env);
  const { baseUrl, apiKey } = overrides(env);
  return {
    config: config.file ?? null,
    default: found === undefined ? null : { name: found.value, source: found.source },
    overrides: {
      base_url: baseUrl && { value: safeUrl(baseUrl.value), source: baseUrl.source },
      api_key: apiKey && { source: apiKey.source },
    },
    models: models.map((entry) => {
      const { state, variable, masked } = keyState(entry, env);
      return {
        name: entry.name ?? entry.id,
        id: entry.id,
        provider: entry.provider ?? "auto",
        base_url: serverOf(entry),
        key: { state, variable, masked },
        default: entry === defaultEntry(models, name),
      };
    }),
    endpoints: (config.value.batch?.endpoints ?? []).map((entry) => {
      const { state, variable, masked } = keyState(entry, env);
      return {
        model: entry.model ?? null,
        provider: entry.provider ?? "auto",
        base_url: serverOf(entry),
        key: { state, variable, masked },
      };
    }),
  };
}

function defaultEntry(models: readonly ModelEntry[], name: string | undefined) {
  return models.find((entry) => (entry.name ?? entry.id) === name) ??
    models.find(({ id }) => id === name);
}

function modelTable(models: readonly ModelEntry[], marked: ModelEntry | undefined): string[] {
  const rows = models.map((entry): Cell[] => [
    entry === marked ? { text: "*", style: "green" } : "",
    entry.name ?? entry.id,
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

/** The lines below the table: what is asked by default, and why. */
function defaultLines(config: Config): string[] {
  const { env } = process;
  const found = defaultModel(config, env);
  if (found === undefined) return [];
  const lines = [`Default: ${found.value} (${found.source})`];
  const { model, baseUrl, apiKey } = overrides(env);
  const { default: named } = config.value;
  if (model !== undefined && named && named !== model.value) {
    lines.push(`${model.source} wins over "${named}" in the file.`);
  }
  if (baseUrl !== undefined) {
    lines.push(`It is asked at ${safeUrl(baseUrl.value)} (${baseUrl.source}).`);
  }
  if (apiKey?.source === "FLEXLLM_API_KEY") lines.push("Its key is that of FLEXLLM_API_KEY.");
  const isTold = config.file === undefined || found.source.startsWith(config.file);
  return isTold ? lines : [...lines, `Configuration: ${config.file}`];
}

/** The command. */
export function listCommand() {
  const command = new Command("list")
    .option("--json", "print them as JSON")
    .addOption(commonFlags.config)
    .action((flags) => {
      const config = readConfig(flags.config);
      const models = config.value.models ?? [];
      const name = defaultModel(config, process.env)?.value;
      if (flags.json) return writeJson(toJson(config, models, name));
      const endpoints = config.value.batch?.endpoints ?? [];
      if (models.length + endpoints.length === 0 && name === undefined) throw noModel(config);
      const parts = [
        models.length === 0 ? [] : modelTable(models, defaultEntry(models, name)),
        defaultLines(config),
        endpoints.length === 0 ? [] : ["Endpoints of batches:", ...endpointTable(endpoints)],
      ];
      const text = parts.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
      writeOutput(`${text.join("\n\n")}\n`);
    });
  return addExamples(command, ["flexllm list", "flexllm list --json"]);
}
