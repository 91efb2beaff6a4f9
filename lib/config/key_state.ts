/**
 * Reports whether a configured model has an API key and where it comes from.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, keyVariableOf } from "../services/providers.ts";
import { FlexLLMError } from "../errors.ts";
import { maskKey } from "../redact.ts";
import type { Environment } from "../files/paths.ts";
import { isPlaceholder } from "../keys/check_key.ts";
import { keyNameOf } from "../keys/key_names.ts";
import { findKey } from "../keys/key_store.ts";
import { keysIn, variablesIn } from "./references.ts";
import type { ModelEntry } from "./schema.ts";

/** The state of a model's API key. */
export interface KeyState {
  /** `none`: no key is configured, and the server is not a known service that needs one. */
  state: "set" | "missing" | "placeholder" | "none";
  /** The variable that holds or should hold the key; `undefined` if the key is in the file or stored. */
  variable?: string;
  /** The name of the stored key, used or missing. */
  stored?: string;
  /** The masked key: its last characters, to tell keys apart. */
  masked?: string;
}

/** Conventional keys for servers that require one but do not check it. */
const DUMMY = /^(empty|none|dummy|ollama|not-needed|no-key)$/i;

/** Whether `key` is a conventional dummy such as `EMPTY`, not a secret. */
export function isDummyKey(key: string): boolean {
  return DUMMY.test(key);
}

/** The server of an entry, if its base URL is valid. */
function serverOf({ base_url, provider }: Pick<ModelEntry, "base_url" | "provider">) {
  const server = base_url ?? baseUrlOf(provider ?? "auto");
  if (server === undefined) return undefined;
  try {
    return normalizeBaseUrl(server);
  } catch (error) {
    if (error instanceof FlexLLMError) return undefined;
    throw error;
  }
}

function stateOf(variable: string, env: Environment): KeyState {
  const value = env[variable];
  return value
    ? { state: "set", variable, masked: maskKey(value) }
    : { state: "missing", variable };
}

function storedState(name: string, env: Environment): KeyState {
  const stored = findKey(env, name);
  return stored === undefined
    ? { state: "missing", stored: name }
    : { state: "set", stored: name, masked: stored.shown };
}

/** The state of the key of the service at `server`: its variable, otherwise its stored key. */
function serviceState(server: string | undefined, env: Environment): KeyState {
  const variable = server && keyVariableOf(server);
  if (!variable) return { state: "none" };
  const stored = env[variable] ? undefined : keyNameOf(server);
  return stored === undefined || findKey(env, stored) === undefined
    ? stateOf(variable, env)
    : storedState(stored, env);
}

/** The state of the key of `entry`, ignoring overrides from the environment. Does not open the keychain. */
export function keyState(
  entry: Pick<ModelEntry, "api_key" | "base_url" | "provider">,
  env: Environment,
): KeyState {
  const key = entry.api_key?.trim();
  const server = serverOf(entry);
  if (!key) return serviceState(server, env);
  const [name] = keysIn(key);
  if (name !== undefined) {
    const stored = storedState(name, env);
    const isOwn = stored.state === "missing" && server !== undefined && keyNameOf(server) === name;
    const own = isOwn ? serviceState(server, env) : stored;
    return own.state === "set" ? own : stored;
  }
  const [variable] = variablesIn(key);
  if (variable !== undefined) {
    return server !== undefined && variable === keyVariableOf(server)
      ? serviceState(server, env)
      : stateOf(variable, env);
  }
  if (isDummyKey(key)) return { state: "none" };
  if (isPlaceholder(key)) return { state: "placeholder" };
  return { state: "set", masked: maskKey(key) };
}
