/**
 * Prompts for the provider, base URL, API key and model of `flexllm init`.
 *
 * @module
 */
import { storedKeyAt } from "../../lib/config/entry_key.ts";
import { isDummyKey } from "../../lib/config/key_state.ts";
import { isReference, keyReference } from "../../lib/config/references.ts";
import { keyProblem } from "../../lib/keys/check_key.ts";
import { keyFilePath, type StoreName } from "../../lib/keys/key_file.ts";
import { keychainOf } from "../../lib/keys/key_store.ts";
import { officialNamed } from "../../lib/protocols/registry.ts";
import process from "node:process";
import { FlexLLMError } from "../../lib/errors.ts";
import { maskKey } from "../../lib/redact.ts";
import { baseUrlOf, keyVariableOf, PROVIDER_NAMES } from "../../lib/services/providers.ts";
import { normalizeBaseUrl } from "../../lib/services/base_url.ts";
import {
  promptChoice,
  promptFilteredChoice,
  promptSecret,
  promptSuggested,
  promptText,
} from "../terminal/prompts.ts";
import { type ModelDraft, newKeyName, OTHER, suggestedModels } from "./models.ts";
import { requiredVariable } from "./how_to_set.ts";
import type { InitFlags } from "./write.ts";

/** Prompts for the provider; those whose key variable is set are listed first. */
export async function promptProvider(flags: InitFlags): Promise<ModelDraft["provider"]> {
  if (flags.provider !== undefined) return flags.provider;
  if (flags.baseUrl !== undefined) return OTHER;
  const others = PROVIDER_NAMES.filter((name) => !["auto", "mock", "openai"].includes(name));
  const named = (["openai", ...others] as const).map((name) => {
    const url = baseUrlOf(name);
    const variable = url && keyVariableOf(url);
    const isSet = variable !== undefined && process.env[variable];
    const company = officialNamed(name)?.official.company;
    return {
      value: name as ModelDraft["provider"],
      label: company === undefined ? name : `${name} (${company})`,
      hint: isSet ? `${variable} is set` : url ?? "your own URL",
      isSet,
    };
  });
  const choices = [
    ...named.filter(({ isSet }) => isSet),
    ...named.filter(({ isSet }) => !isSet),
    { value: OTHER, label: "another OpenAI-compatible server" } as const,
    { value: "mock", label: "mock (built in; for trying things out, no key or network)" } as const,
  ];
  return await promptFilteredChoice("Which provider do you want to use?", choices);
}

/** Adds the scheme that a URL without one most likely has. */
function withScheme(text: string): string {
  if (!/^[\w.-]+(:\d+)?(\/|$)/.test(text)) return text;
  const isLocal = /^(localhost|\d+\.\d+\.\d+\.\d+)(:|\/|$)/.test(text);
  return `${isLocal ? "http" : "https"}://${text}`;
}

function urlProblem(text: string): string | undefined {
  try {
    normalizeBaseUrl(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof FlexLLMError)) throw error;
    return [error.message, error.hint].join(". ");
  }
}

/** Prompts for the base URL, unless the provider has a fixed one. */
export async function promptBaseUrl(
  provider: ModelDraft["provider"],
  flags: InitFlags,
): Promise<string> {
  if (flags.baseUrl !== undefined) return flags.baseUrl;
  const known = provider === OTHER ? undefined : baseUrlOf(provider);
  // A self-hosted server may run on another machine.
  if (known !== undefined && !known.startsWith("http://localhost")) return known;
  const url = await promptText(
    "Base URL of the server, including /v1?",
    (text) => urlProblem(withScheme(text)),
    known,
  );
  return withScheme(url);
}

/** Prompts for where to store a typed key. A reference or a dummy belongs in the configuration file. */
export async function promptPlace(
  { apiKey, baseUrl }: ModelDraft,
): Promise<Pick<ModelDraft, "storeAs">> {
  if (!apiKey || baseUrl === undefined || isReference(apiKey) || isDummyKey(apiKey)) return {};
  const { env } = process;
  const keychain = keychainOf(env);
  const place = await promptChoice("Where should the key be stored?", [
    ...keychain === undefined ? [] : [{ value: "keychain", label: `in ${keychain.title}` }],
    { value: "file", label: `in ${keyFilePath(env)}`, hint: "only you can read it" },
    { value: "config", label: "in the configuration file" },
  ]);
  if (place === "config") return {};
  return { storeAs: { name: newKeyName(baseUrl, env), store: place as StoreName } };
}

/** Prompts for the key: a variable's, a stored one, another one, or none. */
export async function promptKey(
  baseUrl: string,
  flags: InitFlags,
): Promise<string | undefined> {
  if (flags.apiKeyEnv !== undefined) return `\${${flags.apiKeyEnv}}`;
  const { env } = process;
  const variable = keyVariableOf(normalizeBaseUrl(baseUrl));
  const value = variable && env[variable];
  const stored = storedKeyAt(baseUrl, env);
  if (value || stored !== undefined) {
    const source = await promptChoice("Which key?", [
      ...value
        ? [{ value: "variable", label: `the one in ${variable}`, hint: maskKey(value) }]
        : [],
      ...stored === undefined
        ? []
        : [{ value: "stored", label: "the stored one", hint: stored.shown }],
      { value: "typed", label: "another one" },
    ]);
    if (source === "variable") return `\${${variable}}`;
    if (source === "stored") return keyReference(stored!.name);
  }
  const required = requiredVariable(baseUrl);
  const empty = required === undefined ? "leave empty for none" : `leave empty to use ${required}`;
  const typed = await promptSecret(
    `API key? (not shown; ${empty})`,
    (key) => key === "" ? undefined : keyProblem(key),
  );
  if (typed !== "") return typed;
  return required === undefined ? undefined : `\${${required}}`;
}

/** Prompts for a model, with those of the server as suggestions. May complete the draft's base URL. */
export async function promptModel(draft: ModelDraft, flags: InitFlags): Promise<string> {
  if (flags.model !== undefined) return flags.model;
  const suggestions = await suggestedModels(draft);
  if (suggestions.length > 0) {
    return await promptSuggested("Which model? (type part of its name)", suggestions);
  }
  return await promptModelId();
}

/** Prompts for a model's id, without suggestions. */
export async function promptModelId(): Promise<string> {
  const validate = (id: string) => id === "" ? "Enter the model's id." : undefined;
  return await promptText("Which model? (its id at the server)", validate);
}
