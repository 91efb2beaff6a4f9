/**
 * What `flexllm config show` says: the settings in force, and where each comes from.
 *
 * @module
 */
import process from "node:process";
import { DEFAULT_TTL } from "../../lib/cache/response_cache.ts";
import { locateStore, type StoreLocation, type StoreOptions } from "../../lib/cache/open_store.ts";
import { baseUrlOf } from "../../lib/services/connect.ts";
import { defaultModel, overrides, type Sourced } from "../../lib/config/effective.ts";
import { isEmptyKey, type KeyState, keyState } from "../../lib/config/key_state.ts";
import type { Config } from "../../lib/config/load.ts";
import { redactConfig } from "../../lib/config/redact_config.ts";
import { resolveBatchCache, resolveCache } from "../../lib/config/resolve_cache.ts";
import { usesEndpoints } from "../../lib/config/resolve_endpoints.ts";
import { resolveWithKey } from "../../lib/config/resolve_model.ts";
import type { BatchSection, EndpointEntry, ModelEntry } from "../../lib/config/schema.ts";
import { describeForeign } from "../../lib/config/trust.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { isHarmlessHeader, maskKey, safeUrl } from "../../lib/redact.ts";
import { table } from "../terminal/table.ts";

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

/** The key that is sent; `own` is the state of the one that the model's entry names. */
function keySetting(config: Config, own: KeyState | undefined): Setting {
  const name = "api_key";
  try {
    const { model: { apiKey }, keySource } = resolveWithKey(config, process.env, {});
    if (apiKey !== undefined && !isEmptyKey(apiKey) && own?.state !== "placeholder") {
      return { name, value: maskKey(apiKey), source: keySource! };
    }
    return {
      name,
      value: own?.state === "placeholder" ? own.state : "none",
      source: keySource ?? "default",
    };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { name, value: own?.state ?? "none", source: own?.variable ?? "default" };
  }
}

function modelSettings(config: Config, model: Sourced<string>): Setting[] {
  const { env } = process;
  const { baseUrl } = overrides(env);
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
  return [...settings, keySetting(config, entry && keyState(entry, env))];
}

const REFERENCE = /\$\{(\w+)\}/g;

/** A possibly secret value: its variable references, and the last characters of the rest. */
function maskedValue(name: string, text: string): string {
  if (isHarmlessHeader(name)) return text;
  const variables = [...text.matchAll(REFERENCE)].map(([reference]) => reference);
  if (variables.length === 0) return maskKey(text);
  const values = text.replace(REFERENCE, (_, variable) => process.env[variable] ?? "");
  const state = values === "" ? "not set" : maskKey(values);
  return `${variables.join(" ")} (${state})`;
}

/** The headers that are sent, and the keys of endpoints: where each goes, and from which variable. */
function sentSettings(config: Config, defaultName: string | undefined): Setting[] {
  const { models, batch } = config.value;
  const [, own] = (defaultName === undefined ? undefined : defaultEntry(config, defaultName)) ?? [];
  const settings: Setting[] = [];
  const add = (prefix: string, name: string, text: string, path: (string | number)[]) =>
    settings.push({
      name: `${prefix}${name}`,
      value: maskedValue(name, text),
      source: config.locate(path),
    });
  for (const [i, { headers = {} }] of (models ?? []).entries()) {
    for (const [name, text] of Object.entries(headers)) {
      const prefix = i === own ? "headers." : `models[${i}].headers.`;
      add(prefix, name, text, ["models", i, "headers", name]);
    }
  }
  for (const [i, { api_key, headers = {} }] of (batch?.endpoints ?? []).entries()) {
    const place = ["batch", "endpoints", i];
    const prefix = `batch.endpoints[${i}].`;
    if (api_key) add(prefix, "api_key", api_key, [...place, "api_key"]);
    for (const [name, text] of Object.entries(headers)) {
      add(`${prefix}headers.`, name, text, [...place, "headers", name]);
    }
  }
  return settings;
}

function fitToShow(value: unknown): Setting["value"] {
  return typeof value === "number" || typeof value === "boolean" ? value : String(value);
}

function batchSettings(config: Config): Setting[] {
  const { endpoints: _, ...section } = config.value.batch ?? {};
  const given = Object.entries(section).filter(([, value]) => value !== null);
  const names = new Set([...given.map(([name]) => name), ...Object.keys(BATCH_DEFAULTS)]);
  return [...names].map((name): Setting => {
    const value = section[name as keyof typeof section];
    const isGiven = value !== undefined && value !== null;
    return {
      name: `batch.${name}`,
      value: fitToShow(isGiven ? value : BATCH_DEFAULTS[name as keyof BatchSection]),
      source: isGiven ? config.locate(["batch", name]) : "default",
    };
  });
}

/** An endpoint in a few words. */
function endpointValue(entry: EndpointEntry): string {
  const { model = "the default model", base_url, provider } = entry;
  const server = base_url ? safeUrl(base_url) : `provider ${provider}`;
  const details = [
    entry.weight && `weight ${entry.weight}`,
    entry.concurrency_limit && `${entry.concurrency_limit} at once`,
    entry.max_qps && `${entry.max_qps} a second`,
    entry.max_tpm && `${entry.max_tpm} tokens a minute`,
  ].filter((part) => part);
  return [`${model} at ${server}`, ...details].join(", ");
}

function endpointSettings(config: Config): Setting[] {
  const endpoints = config.value.batch?.endpoints;
  if (!endpoints) return [];
  if (!usesEndpoints(config, process.env, {})) {
    const { source } = overrides(process.env).baseUrl!;
    const value = `${endpoints.length} in the file, not asked`;
    return [{ name: "batch.endpoints", value, source }];
  }
  return endpoints.map((entry, i) => ({
    name: `batch.endpoints[${i}]`,
    value: endpointValue(entry),
    source: config.locate(["batch", "endpoints", i]),
  }));
}

/** Where the cache is kept; `undefined` when it cannot be there. */
function storeOf(options: StoreOptions): StoreLocation | undefined {
  try {
    return locateStore(options, process.env);
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

function cacheSettingsOf(config: Config): Setting[] {
  const { cache } = config.value;
  const given = typeof cache === "object" && cache !== null ? cache : {};
  const isOn = resolveCache(config) !== false;
  const source = cache === undefined || cache === null ? "default" : config.locate(["cache"]);
  const settings: Setting[] = [{ name: "cache", value: isOn, source }];
  if (!isOn && resolveBatchCache(config, {}) === false) return settings;
  const place = storeOf(given);
  const values = {
    ttl: given.ttl ?? DEFAULT_TTL,
    store: place?.kind ?? `${given.store}, which this flexllm cannot open`,
    path: place?.location && safeUrl(place.location),
    namespace: given.namespace,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const isGiven = given[name as keyof typeof given] !== undefined;
    settings.push({
      name: `cache.${name}`,
      value,
      source: isGiven ? config.locate(["cache", name]) : "default",
    });
  }
  return settings;
}

function templateSettings(config: Config): Setting[] {
  const names = Object.keys(config.value.templates ?? {});
  if (names.length === 0) return [];
  return [{ name: "templates", value: names.join(", "), source: config.locate(["templates"]) }];
}

/** The settings in force. */
function settingsOf(config: Config): Setting[] {
  const model = defaultModel(config, process.env);
  return [
    ...model === undefined ? [] : modelSettings(config, model),
    ...cacheSettingsOf(config),
    ...batchSettings(config),
    ...endpointSettings(config),
    ...sentSettings(config, model?.value),
    ...templateSettings(config),
  ];
}

/** How the file was found. */
function originOf(config: Config, named: string | undefined): string {
  if (config.file === undefined) return "no file";
  if (named !== undefined) return "--config";
  return process.env.FLEXLLM_CONFIG ? "FLEXLLM_CONFIG" : "found";
}

/** Variables that are not sent until the user trusts the file. */
function unapprovedLines({ unapproved, locate }: Config): string[] {
  if (unapproved.length === 0) return [];
  return [
    "",
    "This file was found in the current folder, and its models are not used before you allow this:",
    ...unapproved.map((each) => `  ${locate(each.path)}: ${describeForeign(each)}`),
    "Allow it with `flexllm config trust`.",
  ];
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
    ...unapprovedLines(config),
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
    unapproved: config.unapproved.map(({ variable, host, path }) => ({
      variable,
      host,
      source: config.locate(path),
    })),
    content: redactConfig(config.value),
  };
}
