/**
 * Converts a configured model or endpoint to client options, with its `${NAME}` references expanded.
 *
 * @module
 */
import type { EndpointOptions } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import type { Path } from "../files/document.ts";
import type { Environment } from "../files/paths.ts";
import { keyedService, keyedServices } from "../keys/key_names.ts";
import { readKey } from "../keys/key_store.ts";
import { priceRow } from "../pricing/price_file.ts";
import { normalizeBaseUrl } from "../services/base_url.ts";
import type { Config } from "./load.ts";
import { expandReferences } from "./references.ts";
import type { ModelEntry } from "./schema.ts";
import { requireApproval } from "./trust.ts";

/** The fields that models and endpoints share. */
export type ServerEntry = Omit<ModelEntry, "id" | "name" | "options">;

/** The position of an entry in a configuration, and the environment to expand it with. */
export interface EntryContext {
  path: Path;
  config: Config;
  env: Environment;
}

/** How to set a variable, or store the key that it customarily holds. */
function setHint(variable: string): string {
  const service = keyedServices().find((each) => each.variable === variable);
  const alternative = service === undefined
    ? "replace the reference: flexllm config edit"
    : `store the key: flexllm keys set ${service.name}`;
  return `Set it with \`export ${variable}=…\`, or ${alternative}`;
}

/** How to store a key, or set the variable that customarily holds it. */
function storeHint(name: string): string {
  const variable = keyedService(name)?.variable;
  const alternative = variable === undefined ? "" : `, or set ${variable}`;
  return `Store it: flexllm keys set ${name}${alternative}`;
}

/**
 * Expands the references in a field.
 *
 * @param names the field's path within the entry
 * @throws {ConfigurationError} if a variable is not set, or a key is not stored or cannot be read
 */
export function expandField(
  text: string | undefined,
  names: string[],
  { path, config, env }: EntryContext,
): string | undefined {
  const place = () => config.locate([...path, ...names]);
  return text && expandReferences(text, env, {
    onUnset(name) {
      throw new ConfigurationError(`${place()}: the environment variable ${name} is not set`, {
        hint: setHint(name),
      });
    },
    readKey(name) {
      const key = readKey(env, name);
      if (key !== undefined) return key;
      throw new ConfigurationError(`${place()}: no key named "${name}" is stored`, {
        hint: storeHint(name),
      });
    },
  });
}

/**
 * Expands and checks the base URL of an entry.
 *
 * @throws {ConfigurationError} if it is invalid or refers to a variable that is not set
 */
export function expandBaseUrl(
  { base_url }: ServerEntry,
  context: EntryContext,
): string | undefined {
  const baseUrl = expandField(base_url, ["base_url"], context);
  try {
    if (baseUrl !== undefined) normalizeBaseUrl(baseUrl);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const place = context.config.locate([...context.path, "base_url"]);
    throw new ConfigurationError(`${place}: ${error.message}`, { hint: error.hint });
  }
  return baseUrl;
}

/**
 * Expands an entry, except its key: see {@link entryKey}. Call it only for entries in use: variables of the
 * others need not be set.
 *
 * @param model the model that a configured price applies to
 * @throws {ConfigurationError} if a value is invalid, a variable is not set, or the user has not
 *   approved sending one to this server
 */
export function expandEntry(
  entry: ServerEntry,
  model: string | undefined,
  context: EntryContext,
): EndpointOptions {
  for (const field of ["base_url", "headers"]) {
    requireApproval(context.config, [...context.path, field]);
  }
  const headers = Object.entries(entry.headers ?? {})
    .map(([name, value]) => [name, expandField(value, ["headers", name], context) ?? ""]);
  const baseUrl = expandBaseUrl(entry, context);
  return {
    provider: entry.provider ?? "auto",
    baseUrl,
    headers: Object.fromEntries(headers) as Record<string, string>,
    api: entry.api,
    extraBody: entry.extra_body,
    prices: entry.price && model !== undefined
      ? [priceRow(model, baseUrl, entry.price)]
      : undefined,
  };
}
