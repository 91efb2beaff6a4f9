/**
 * What `flexllm config show` says: the settings in force, and where each comes from.
 *
 * @module
 */
import process from "node:process";
import { baseUrlOf } from "../lib/client/endpoint.ts";
import { defaultModel, overrides, type Sourced } from "../lib/config/effective.ts";
import { keyState } from "../lib/config/key_state.ts";
import type { Config } from "../lib/config/load.ts";
import { redactConfig } from "../lib/config/redact_config.ts";
import type { BatchSection, ModelEntry } from "../lib/config/schema.ts";
import { maskKey, safeUrl } from "../lib/redact.ts";
import { table } from "./table.ts";

/** A setting that is in force. */
interface Setting {
  name: string;
  /** Fit to be shown. */
  value: string | number | boolean;
  /** A place in the file, a variable, or `default`. */
  source: string;
}

/** What holds in a batch where the file says nothing. */
const BATCH_DEFAULTS: Partial<Record<keyof BatchSection, unknown>> = {
  concurrency: 10,
  adaptive: true,
  max_wait: 600,
  timeout: 120,
  retry_times: 3,
  retry_delay: 1,
  return_usage: true,
  track_cost: true,
};

/** The entry of the model that is asked by default, and its place in `models`. */
function defaultEntry(config: Config, name: string): [ModelEntry, number] | undefined {
  const models = config.value.models ?? [];
  let i = models.findIndex((entry) => (entry.name ?? entry.id) === name);
  if (i < 0) i = models.findIndex(({ id }) => id === name);
  return i < 0 ? undefined : [models[i], i];
}

function modelSettings(config: Config, model: Sourced<string>): Setting[] {
  const { env } = process;
  const { baseUrl, apiKey } = overrides(env);
  const [entry, i] = defaultEntry(config, model.value) ?? [undefined, 0];
  const place = (field: keyof ModelEntry) => config.locate(["models", i, field]);
  const settings: Setting[] = [{ name: "model", value: model.value, source: model.source }];
  if (entry !== undefined && entry.id !== model.value) {
    settings.push({ name: "id", value: entry.id, source: place("id") });
  }
  if (baseUrl !== undefined) {
    settings.push({ name: "base_url", value: safeUrl(baseUrl.value), source: baseUrl.source });
  } else if (entry?.base_url !== undefined) {
    const value = safeUrl(entry.base_url);
    settings.push({ name: "base_url", value, source: place("base_url") });
  } else if (entry?.provider !== undefined) {
    const value = entry.provider === "mock" ? "built in" : baseUrlOf(entry.provider) ?? "none";
    settings.push({ name: "base_url", value, source: `provider ${entry.provider}` });
  }
  const isFlexllmKey = apiKey?.source === "FLEXLLM_API_KEY";
  if (apiKey !== undefined && (isFlexllmKey || entry === undefined)) {
    settings.push({ name: "api_key", value: maskKey(apiKey.value), source: apiKey.source });
  } else if (entry !== undefined) {
    const { state, variable, masked } = keyState(entry, env);
    const source = variable ?? (entry.api_key === undefined ? "default" : place("api_key"));
    settings.push({ name: "api_key", value: masked ?? state, source });
  }
  return settings;
}

function fitToShow(value: unknown): Setting["value"] {
  return typeof value === "number" || typeof value === "boolean" ? value : String(value);
}

function batchSettings(config: Config): Setting[] {
  const { endpoints, ...section } = config.value.batch ?? {};
  const given = Object.entries(section).filter(([, value]) => value !== null);
  const names = new Set([...given.map(([name]) => name), ...Object.keys(BATCH_DEFAULTS)]);
  const settings = [...names].map((name): Setting => {
    const value = section[name as keyof typeof section];
    const isGiven = value !== undefined && value !== null;
    return {
      name: `batch.${name}`,
      value: fitToShow(isGiven ? value : BATCH_DEFAULTS[name as keyof BatchSection]),
      source: isGiven ? config.locate(["batch", name]) : "default",
    };
  });
  if (endpoints) {
    const value = `${endpoints.length}: ${
      endpoints.map(({ base_url, provider }) => base_url ? safeUrl(base_url) : provider).join(", ")
    }`;
    settings.push({
      name: "batch.endpoints",
      value,
      source: config.locate(["batch", "endpoints"]),
    });
  }
  return settings;
}

/** The settings in force. */
function settingsOf(config: Config): Setting[] {
  const model = defaultModel(config, process.env);
  return [...model === undefined ? [] : modelSettings(config, model), ...batchSettings(config)];
}

/** How the file was found. */
function originOf(config: Config, named: string | undefined): string {
  if (config.file === undefined) return "no file";
  if (named !== undefined) return "--config";
  return process.env.FLEXLLM_CONFIG ? "FLEXLLM_CONFIG" : "found";
}

/** The settings for a person. */
export function showLines(config: Config, named: string | undefined): string[] {
  const { file } = config;
  const origin = originOf(config, named);
  const shortened = (source: string) => file === undefined ? source : source.replace(file, "file");
  const rows = settingsOf(config)
    .map((
      { name, value, source },
    ) => [name, String(value), shortened(source).replace(/^file:/, "line ")]);
  const others = (config.value.models ?? []).length;
  return [
    file === undefined
      ? "No configuration file; `flexllm init` writes one."
      : `Configuration: ${file}${origin === "found" ? "" : ` (${origin})`}`,
    "",
    ...table(["setting", "value", "from"].map((title) => ({ title })), rows),
    ...others > 1 ? ["", `${others} models are configured; \`flexllm list\` shows them.`] : [],
  ];
}

/** The settings for a program, and all that the file says. */
export function showJson(config: Config, named: string | undefined) {
  const settings = Object.fromEntries(
    settingsOf(config).map(({ name, value, source }) => [name, { value, source }]),
  );
  return {
    file: config.file ?? null,
    origin: originOf(config, named),
    settings,
    content: redactConfig(config.value),
  };
}
