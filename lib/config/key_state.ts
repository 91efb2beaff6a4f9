/**
 * Where the key of a configured model comes from, and whether it is there.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, keyVariableOf } from "../services/providers.ts";
import { FlexLLMError } from "../errors.ts";
import { maskKey } from "../redact.ts";
import type { Environment } from "../files/paths.ts";
import type { ModelEntry } from "./schema.ts";

/** What is known of a key. */
export interface KeyState {
  /** `none`: no key is given, and no known service asks for one there. */
  state: "set" | "missing" | "placeholder" | "none";
  /** The variable that holds or should hold it; `undefined` for one in the file. */
  variable?: string;
  /** Its end, for telling keys apart. */
  masked?: string;
}

/** What people leave in files until they have a key. */
const PLACEHOLDER = /^(<.*>|sk-\.*|x{3,}|\.{3}|(sk-)?your[-_ ].*|change[-_ ]?me)$/i;
/** What is sent to servers that ask for some key but do not look at it. */
const EMPTY = /^(empty|none|dummy|ollama|not-needed|no-key)$/i;

/** Whether `key` only fills the place of one. */
export function isEmptyKey(key: string): boolean {
  return EMPTY.test(key);
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

/** Tells of the key of `entry`, without what the environment puts in its place. */
export function keyState(
  entry: Pick<ModelEntry, "api_key" | "base_url" | "provider">,
  env: Environment,
): KeyState {
  const key = entry.api_key?.trim();
  if (!key) {
    const variable = serviceVariable(entry);
    if (variable === undefined) return { state: "none" };
    const value = env[variable];
    return value ? { state: "set", variable, masked: maskKey(value) } : {
      state: "missing",
      variable,
    };
  }
  const reference = /\$\{(\w+)\}/.exec(key);
  if (reference !== null) {
    const [, variable] = reference;
    const value = env[variable];
    return value ? { state: "set", variable, masked: maskKey(value) } : {
      state: "missing",
      variable,
    };
  }
  if (isEmptyKey(key)) return { state: "none" };
  if (PLACEHOLDER.test(key)) return { state: "placeholder" };
  return { state: "set", masked: maskKey(key) };
}
