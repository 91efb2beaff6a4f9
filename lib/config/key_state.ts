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
import { variablesIn } from "./references.ts";
import type { ModelEntry } from "./schema.ts";

/** The state of a model's API key. */
export interface KeyState {
  /** `none`: no key is configured, and the server is not a known service that needs one. */
  state: "set" | "missing" | "placeholder" | "none";
  /** The variable that holds or should hold the key; `undefined` if the key is in the file. */
  variable?: string;
  /** The masked key: its last characters, to tell keys apart. */
  masked?: string;
}

/** Text that templates and tutorials put in place of a real key. */
const PLACEHOLDER = /^(<.*>|sk-\.*|x{3,}|\.{3}|(sk-)?your[-_ ].*|change[-_ ]?me)$/i;
/** Conventional keys for servers that require one but do not check it. */
const DUMMY = /^(empty|none|dummy|ollama|not-needed|no-key)$/i;

/** Whether `key` is a conventional dummy such as `EMPTY`, not a secret. */
export function isDummyKey(key: string): boolean {
  return DUMMY.test(key);
}

function serviceVariable({ base_url, provider }: Pick<ModelEntry, "base_url" | "provider">) {
  const server = base_url ?? baseUrlOf(provider ?? "auto");
  if (server === undefined) return undefined;
  try {
    return keyVariableOf(normalizeBaseUrl(server));
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

/** The state of the key of `entry`, ignoring overrides from the environment. */
export function keyState(
  entry: Pick<ModelEntry, "api_key" | "base_url" | "provider">,
  env: Environment,
): KeyState {
  const key = entry.api_key?.trim();
  const variable = key ? variablesIn(key).at(0) : serviceVariable(entry);
  if (variable !== undefined) return stateOf(variable, env);
  if (!key || isDummyKey(key)) return { state: "none" };
  if (PLACEHOLDER.test(key)) return { state: "placeholder" };
  return { state: "set", masked: maskKey(key) };
}
