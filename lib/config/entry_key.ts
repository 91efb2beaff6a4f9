/**
 * Resolves the API key of a configured model or endpoint, and where it comes from.
 *
 * @module
 */
import type { Environment } from "../files/paths.ts";
import { keyNameOf } from "../keys/key_names.ts";
import { findKey, readKey, type StoredKey } from "../keys/key_store.ts";
import { normalizeBaseUrl } from "../services/base_url.ts";
import { keyVariableOf } from "../services/providers.ts";
import { fromEnvironment, type Sourced } from "./effective.ts";
import { type EntryContext, expandField, type ServerEntry } from "./expand_entry.ts";
import { soleKey, soleVariable } from "./references.ts";
import { requireApproval } from "./trust.ts";

/** The stored key of the service at `baseUrl`; does not open the keychain. */
export function storedKeyAt(baseUrl: string, env: Environment): StoredKey | undefined {
  const name = keyNameOf(normalizeBaseUrl(baseUrl));
  return name === undefined ? undefined : findKey(env, name);
}

/** Where a stored key comes from, for users. */
export function storedSource({ name, store }: StoredKey): string {
  return `keys.${name}, in the ${store === "file" ? "key file" : "keychain"}`;
}

function readStored(stored: StoredKey, env: Environment): Sourced<string> {
  return { value: readKey(env, stored.name)!, source: storedSource(stored) };
}

/**
 * The key that belongs to the service at `baseUrl`: its variable, otherwise its stored key.
 *
 * @throws {ConfigurationError} if the stored key cannot be read
 */
export function serviceKey(baseUrl: string, env: Environment): Sourced<string> | undefined {
  const variable = keyVariableOf(normalizeBaseUrl(baseUrl));
  if (variable === undefined) return undefined;
  const given = fromEnvironment(env, variable);
  if (given !== undefined) return given;
  const stored = storedKeyAt(baseUrl, env);
  return stored && readStored(stored, env);
}

/**
 * The key that `apiKey` refers to, if it is a reference to the key of the service at `baseUrl`. Its variable
 * and its stored key replace each other: the same file works where there is no keychain.
 *
 * @throws {ConfigurationError} if the stored key cannot be read
 */
function referencedServiceKey(
  apiKey: string,
  baseUrl: string,
  env: Environment,
): Sourced<string> | undefined {
  const url = normalizeBaseUrl(baseUrl);
  const variable = keyVariableOf(url);
  if (variable === undefined) return undefined;
  if (soleVariable(apiKey) === variable) return serviceKey(baseUrl, env);
  if (soleKey(apiKey) !== keyNameOf(url)) return undefined;
  const stored = storedKeyAt(baseUrl, env);
  return stored === undefined ? fromEnvironment(env, variable) : readStored(stored, env);
}

/**
 * The key of an entry, or else that of the service at `baseUrl`.
 *
 * @param baseUrl the entry's server
 * @throws {ConfigurationError} if a variable is not set, a stored key cannot be read, or the user has not
 *   approved sending it to this server
 */
export function entryKey(
  entry: ServerEntry | undefined,
  baseUrl: string,
  context: EntryContext,
): Sourced<string> | undefined {
  const { path, config, env } = context;
  if (!entry?.api_key) return serviceKey(baseUrl, env);
  requireApproval(config, [...path, "api_key"]);
  const own = referencedServiceKey(entry.api_key, baseUrl, env);
  if (own !== undefined) return own;
  const value = expandField(entry.api_key, ["api_key"], context);
  if (!value) return serviceKey(baseUrl, env);
  const name = soleKey(entry.api_key);
  const stored = name === undefined ? undefined : findKey(env, name);
  const source = stored === undefined
    ? soleVariable(entry.api_key) ?? config.locate([...path, "api_key"])
    : storedSource(stored);
  return { value, source };
}
