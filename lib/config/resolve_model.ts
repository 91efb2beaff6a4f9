/**
 * Which model to ask, where, and with which key: flags, then the environment, then the file.
 *
 * A key goes only to the server it was given for: one from the file not to a server named elsewhere,
 * and `OPENAI_API_KEY` not to a server that only the file names.
 *
 * @module
 */
import {
  baseUrlOf,
  type EndpointOptions,
  keyVariableOf,
  normalizeBaseUrl,
  PROVIDER_NAMES,
} from "../client/endpoint.ts";
import { ConfigurationError } from "../errors.ts";
import { priceRow } from "../pricing/price_file.ts";
import type { Path } from "./document.ts";
import type { Config } from "./load.ts";
import type { Environment } from "./paths.ts";
import type { ModelEntry } from "./schema.ts";

/** What the command line says. */
export interface ModelFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
}

/** A model that can be asked. */
export interface ResolvedModel extends EndpointOptions {
  /** The name the server knows. */
  model: string;
}

const VARIABLE = /\$\{(\w+)\}/g;

/** Puts the environment's values into `${NAME}` references. */
function expand(
  text: string | undefined,
  env: Environment,
  place: () => string,
): string | undefined {
  return text?.replace(VARIABLE, (_, name: string) => {
    const value = env[name];
    if (value === undefined) {
      throw new ConfigurationError(`${place()}: the environment variable ${name} is not set`, {
        hint: `Set it, export ${name}=…, or write the value itself: flexllm config edit`,
      });
    }
    return value;
  });
}

function findEntry(config: Config, name: string | undefined): [ModelEntry, number] | undefined {
  const models = config.value.models ?? [];
  let i = models.findIndex((entry) => (entry.name ?? entry.id) === name);
  if (i < 0) i = models.findIndex((entry) => entry.id === name);
  return i < 0 ? undefined : [models[i], i];
}

/** Expands the references of an entry at `path`; done for the entries in use only. */
export function expandEntry(
  entry: Omit<ModelEntry, "id" | "name">,
  model: string | undefined,
  path: Path,
  config: Config,
  env: Environment,
): EndpointOptions {
  const field = (text: string | undefined, ...names: string[]) =>
    expand(text, env, () => config.locate([...path, ...names]));
  const headers = Object.entries(entry.headers ?? {})
    .map(([name, value]) => [name, field(value, "headers", name) ?? ""]);
  const baseUrl = field(entry.base_url, "base_url");
  try {
    if (baseUrl !== undefined) normalizeBaseUrl(baseUrl);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(
      `${config.locate([...path, "base_url"])}: ${error.message}`,
      { hint: error.hint },
    );
  }
  return {
    provider: entry.provider ?? "auto",
    baseUrl,
    apiKey: field(entry.api_key, "api_key"),
    headers: Object.fromEntries(headers) as Record<string, string>,
    api: entry.api,
    prices: entry.price && model !== undefined
      ? [priceRow(model, baseUrl, entry.price)]
      : undefined,
  };
}

function unknownModel(config: Config, name: string | undefined): ConfigurationError {
  const names = (config.value.models ?? []).map((entry) => entry.name ?? entry.id);
  if (name === undefined) {
    return new ConfigurationError("no model is configured", {
      hint: "Run `flexllm init`; or try -m mock, which needs no key; or set FLEXLLM_BASE_URL, " +
        "FLEXLLM_API_KEY and FLEXLLM_MODEL.",
    });
  }
  return new ConfigurationError(`the model "${name}" is not configured`, {
    hint: `Configured are ${
      [...new Set([...names, "mock"])].join(", ")
    }. Or name the server with --base-url or FLEXLLM_BASE_URL.`,
  });
}

/**
 * Finds the model to ask.
 *
 * @throws {ConfigurationError} when none is configured, the one named is not, or a value refers to
 *   an environment variable that is not set
 */
export function resolveModel(config: Config, env: Environment, flags: ModelFlags): ResolvedModel {
  const envModel = env.FLEXLLM_MODEL || env.OPENAI_MODEL || undefined;
  const name = flags.model ?? envModel ?? config.value.default ??
    config.value.models?.[0]?.id;
  if (name === "") throw new ConfigurationError("the name of the model is empty");
  const found = findEntry(config, name);
  const entry = found && expandEntry(found[0], found[0].id, ["models", found[1]], config, env);
  if (name === "mock" && entry === undefined && flags.baseUrl === undefined) {
    return { model: name, provider: "mock" };
  }

  // An entry that was asked for by its name on the command line is meant as it stands.
  const useEnv = flags.model === undefined || entry === undefined || flags.baseUrl !== undefined;
  const envBaseUrl = useEnv ? env.FLEXLLM_BASE_URL || env.OPENAI_BASE_URL || undefined : undefined;
  const elsewhere = flags.baseUrl ?? envBaseUrl;
  const baseUrl = elsewhere ?? entry?.baseUrl;
  const provider = elsewhere === undefined ? entry?.provider ?? "auto" : "auto";
  if (name === undefined) throw unknownModel(config, name);
  if (entry?.provider === "mock" && baseUrl === undefined) {
    return { model: found![0].id, provider: "mock" };
  }
  const server = baseUrl ?? baseUrlOf(provider);
  if (server === undefined) {
    if (entry !== undefined) {
      throw new ConfigurationError(
        `${config.locate(["models", found![1]])}: the model "${name}" has no base_url`,
        { hint: `Give one, or a provider that has one: ${PROVIDER_NAMES.slice(2).join(", ")}.` },
      );
    }
    // As every OpenAI tool does: a key for OpenAI and no other server means OpenAI.
    if (!env.OPENAI_API_KEY) throw unknownModel(config, name);
    return { model: name, provider: "openai", apiKey: flags.apiKey ?? env.OPENAI_API_KEY };
  }
  const serviceVariable = keyVariableOf(normalizeBaseUrl(server));

  const entryKey = elsewhere === undefined || elsewhere === entry?.baseUrl
    ? entry?.apiKey || undefined
    : undefined;
  // To OpenAI, or to a server that was named beside it and is nobody else's.
  const isForOpenAI = serviceVariable === "OPENAI_API_KEY" ||
    (serviceVariable === undefined && elsewhere !== undefined);
  const openaiKey = isForOpenAI ? env.OPENAI_API_KEY : undefined;
  const envKey = useEnv ? env.FLEXLLM_API_KEY || openaiKey || undefined : undefined;
  return {
    model: found?.[0].id ?? name,
    provider,
    baseUrl,
    apiKey: flags.apiKey ?? envKey ?? entryKey ??
      ((serviceVariable && env[serviceVariable]) || undefined),
    api: elsewhere === undefined ? entry?.api : undefined,
    headers: elsewhere === undefined ? entry?.headers : undefined,
    prices: elsewhere === undefined ? entry?.prices : undefined,
  };
}
