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

/** The id of the configured model that is called `name`; the same name when none is. */
export function modelId(config: Config, name: string): string {
  return findEntry(config, name)?.[0].id ?? name;
}

type Entry = Omit<ModelEntry, "id" | "name">;

/** Where an entry stands, and what its references mean. */
interface EntryPlace {
  path: Path;
  config: Config;
  env: Environment;
}

function expandField(
  text: string | undefined,
  names: string[],
  { path, config, env }: EntryPlace,
): string | undefined {
  return expand(text, env, () => config.locate([...path, ...names]));
}

/** The base URL of an entry, checked. */
function expandBaseUrl({ base_url }: Entry, place: EntryPlace): string | undefined {
  const baseUrl = expandField(base_url, ["base_url"], place);
  try {
    if (baseUrl !== undefined) normalizeBaseUrl(baseUrl);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(
      `${place.config.locate([...place.path, "base_url"])}: ${error.message}`,
      { hint: error.hint },
    );
  }
  return baseUrl;
}

/** The entry of `model` with its references replaced; done for the entries in use only. */
export function expandEntry(
  entry: Entry,
  model: string | undefined,
  place: EntryPlace,
): EndpointOptions {
  const headers = Object.entries(entry.headers ?? {})
    .map(([name, value]) => [name, expandField(value, ["headers", name], place) ?? ""]);
  const baseUrl = expandBaseUrl(entry, place);
  return {
    provider: entry.provider ?? "auto",
    baseUrl,
    apiKey: expandField(entry.api_key, ["api_key"], place),
    headers: Object.fromEntries(headers) as Record<string, string>,
    api: entry.api,
    prices: entry.price && model !== undefined
      ? [priceRow(model, baseUrl, entry.price)]
      : undefined,
  };
}

/** The error of a command that asks a model when there is none, with the next step. */
export function noModel(config: Config): ConfigurationError {
  if (config.value.batch?.endpoints?.length) {
    return new ConfigurationError("no model is configured but those of batch.endpoints", {
      hint: "`flexllm batch` asks them, `flexllm test --all` tries them; for the other commands " +
        "list models, or name one with -m and --base-url.",
    });
  }
  const where = config.file === undefined
    ? ": there is no configuration file"
    : ` in ${config.file}`;
  return new ConfigurationError(`no model is configured${where}`, {
    hint: "Run `flexllm init`; or try -m mock, which needs no key; or set FLEXLLM_BASE_URL, " +
      "FLEXLLM_API_KEY and FLEXLLM_MODEL.",
  });
}

function unknownModel(config: Config, name: string | undefined): ConfigurationError {
  if (name === undefined) return noModel(config);
  if (config.value.batch?.endpoints?.some(({ model }) => model === name)) {
    return new ConfigurationError(`the model "${name}" is that of an endpoint, not one of models`, {
      hint: "Leave out -m to ask the endpoints with `flexllm batch`, or list it under models.",
    });
  }
  const names = (config.value.models ?? []).map((entry) => entry.name ?? entry.id);
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
  const given = found?.[0];
  if (name === "mock" && given === undefined && flags.baseUrl === undefined) {
    return { model: name, provider: "mock" };
  }

  // An entry that was asked for by its name on the command line is meant as it stands.
  const useEnv = flags.model === undefined || given === undefined || flags.baseUrl !== undefined;
  const envBaseUrl = useEnv ? env.FLEXLLM_BASE_URL || env.OPENAI_BASE_URL || undefined : undefined;
  const elsewhere = flags.baseUrl ?? envBaseUrl;
  const place = { path: ["models", found?.[1] ?? 0], config, env };
  const isThere = elsewhere === undefined ||
    (given !== undefined && elsewhere === expandBaseUrl(given, place));
  // What is not sent need not be set: the key and the headers of another server.
  const sentKey = flags.apiKey ?? (useEnv ? env.FLEXLLM_API_KEY || undefined : undefined);
  const entry = given && isThere
    ? expandEntry(sentKey === undefined ? given : { ...given, api_key: undefined }, given.id, place)
    : undefined;
  const baseUrl = elsewhere ?? entry?.baseUrl;
  const provider = elsewhere === undefined ? entry?.provider ?? "auto" : "auto";
  if (name === undefined) throw unknownModel(config, name);
  if (given?.provider === "mock" && baseUrl === undefined) {
    return { model: given.id, provider: "mock" };
  }
  const server = baseUrl ?? baseUrlOf(provider);
  if (server === undefined) {
    if (given !== undefined) {
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

  // To OpenAI, or to a server that was named beside it and is nobody else's.
  const isForOpenAI = serviceVariable === "OPENAI_API_KEY" ||
    (serviceVariable === undefined && elsewhere !== undefined);
  const openaiKey = isForOpenAI ? env.OPENAI_API_KEY : undefined;
  const envKey = useEnv ? openaiKey : undefined;
  return {
    model: given?.id ?? name,
    provider,
    baseUrl,
    apiKey: sentKey ?? (envKey || entry?.apiKey ||
      (serviceVariable && env[serviceVariable]) || undefined),
    api: elsewhere === undefined ? entry?.api : undefined,
    headers: elsewhere === undefined ? entry?.headers : undefined,
    prices: elsewhere === undefined ? entry?.prices : undefined,
  };
}
