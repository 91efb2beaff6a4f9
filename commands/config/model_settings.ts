/**
 * Collects the settings of the default model, and the headers and keys of all servers, masked.
 *
 * @module
 */
import process from "node:process";
import { overrides, type Sourced } from "../../lib/config/effective.ts";
import { isDummyKey, type KeyState, keyState } from "../../lib/config/key_state.ts";
import type { Config } from "../../lib/config/load.ts";
import { findModel } from "../../lib/config/models.ts";
import {
  expandReferences,
  keyReference,
  keysIn,
  variablesIn,
} from "../../lib/config/references.ts";
import { resolveWithKey } from "../../lib/config/resolve_model.ts";
import type { ModelEntry } from "../../lib/config/schema.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { findKey } from "../../lib/keys/key_store.ts";
import { isHarmlessHeader, maskKey, safeUrl } from "../../lib/redact.ts";
import { baseUrlOf } from "../../lib/services/providers.ts";
import { displayValue, type Setting } from "./setting.ts";

/** The key that would be sent; `own` is the state of the key of the model's entry. */
function keySetting(config: Config, own: KeyState | undefined): Setting {
  const name = "api_key";
  try {
    const { model: { apiKey }, keySource } = resolveWithKey(config, process.env, {});
    if (apiKey !== undefined && !isDummyKey(apiKey) && own?.state !== "placeholder") {
      return { name, value: maskKey(apiKey), source: keySource! };
    }
    const value = own?.state === "placeholder" ? own.state : "none";
    return { name, value, source: keySource ?? "default" };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return {
      name,
      value: own?.state ?? "none",
      source: own?.stored === undefined ? own?.variable ?? "default" : `keys.${own.stored}`,
    };
  }
}

function baseUrlSetting(
  entry: ModelEntry | undefined,
  sourceOf: (field: keyof ModelEntry) => string,
): Setting[] {
  const name = "base_url";
  const { baseUrl } = overrides(process.env);
  if (baseUrl !== undefined) {
    return [{ name, value: safeUrl(baseUrl.value), source: baseUrl.source }];
  }
  if (entry?.base_url !== undefined) {
    return [{ name, value: safeUrl(entry.base_url), source: sourceOf(name) }];
  }
  if (entry?.provider === undefined) return [];
  const value = entry.provider === "mock" ? "built in" : baseUrlOf(entry.provider) ?? "none";
  return [{ name, value, source: `provider ${entry.provider}` }];
}

/** The sampling options and extra body fields of the model. */
function optionSettings(config: Config, entry: ModelEntry | undefined, i: number): Setting[] {
  const { options = {}, extra_body } = entry ?? {};
  const given = Object.entries(options).filter(([, value]) => value !== null);
  const settings = given.map(([name, value]): Setting => ({
    name: `options.${name}`,
    value: displayValue(value),
    source: config.locate(["models", i, "options", name]),
  }));
  if (extra_body === undefined) return settings;
  const source = config.locate(["models", i, "extra_body"]);
  return [...settings, { name: "extra_body", value: displayValue(extra_body), source }];
}

/** The settings of the default model. */
export function modelSettings(config: Config, model: Sourced<string>): Setting[] {
  const [entry, i] = findModel(config.value, model.value) ?? [undefined, 0];
  const sourceOf = (field: keyof ModelEntry) => config.locate(["models", i, field]);
  return [
    { name: "model", value: model.value, source: model.source },
    ...entry === undefined || entry.id === model.value
      ? []
      : [{ name: "id", value: entry.id, source: sourceOf("id") }],
    ...baseUrlSetting(entry, sourceOf),
    keySetting(config, entry && keyState(entry, process.env)),
    ...optionSettings(config, entry, i),
  ];
}

/** Masks a value that may be secret, keeping references and the last characters of their values. */
function masked(name: string, text: string): string {
  if (isHarmlessHeader(name)) return text;
  const stored = keysIn(text).map((key) =>
    `${keyReference(key)} (${findKey(process.env, key)?.shown ?? "not stored"})`
  );
  if (stored.length > 0) return stored.join(" ");
  const variables = variablesIn(text);
  if (variables.length === 0) return maskKey(text);
  const expanded = expandReferences(text, process.env);
  const references = variables.map((variable) => `\${${variable}}`).join(" ");
  return `${references} (${expanded === "" ? "not set" : maskKey(expanded)})`;
}

/** The headers of models and endpoints, and the keys of endpoints, masked. */
export function secretSettings(config: Config, defaultName: string | undefined): Setting[] {
  const { models, batch } = config.value;
  const [, defaultIndex] = findModel(config.value, defaultName) ?? [];
  const settings: Setting[] = [];
  const add = (prefix: string, name: string, text: string, path: (string | number)[]) =>
    settings.push({
      name: `${prefix}${name}`,
      value: masked(name, text),
      source: config.locate(path),
    });
  for (const [i, { headers = {} }] of (models ?? []).entries()) {
    for (const [name, text] of Object.entries(headers)) {
      const prefix = i === defaultIndex ? "headers." : `models[${i}].headers.`;
      add(prefix, name, text, ["models", i, "headers", name]);
    }
  }
  for (const [i, { api_key, headers = {} }] of (batch?.endpoints ?? []).entries()) {
    const path = ["batch", "endpoints", i];
    const prefix = `batch.endpoints[${i}].`;
    if (api_key) add(prefix, "api_key", api_key, [...path, "api_key"]);
    for (const [name, text] of Object.entries(headers)) {
      add(`${prefix}headers.`, name, text, [...path, "headers", name]);
    }
  }
  return settings;
}
