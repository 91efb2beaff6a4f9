/**
 * Which model to ask, where, and with which key: flags, then the environment, then the file.
 *
 * A key goes only to the server it was given for: one from the file not to a server named elsewhere,
 * and `OPENAI_API_KEY` only to OpenAI and to the server of `OPENAI_BASE_URL`.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, keyVariableOf, PROVIDER_NAMES } from "../services/providers.ts";
import type { EndpointOptions } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import { safeUrl } from "../redact.ts";
import { priceRow } from "../pricing/price_file.ts";
import type { Path } from "../files/document.ts";
import { fromEnvironment, overrides, type Sourced } from "./effective.ts";
import type { Config } from "./load.ts";
import type { Environment } from "../files/paths.ts";
import type { ModelEntry } from "./schema.ts";
import { requireApproval } from "./trust.ts";

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
const VARIABLE_ALONE = /^\$\{(\w+)\}$/;

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
  const used = ["base_url", "headers", ...entry.api_key === undefined ? [] : ["api_key"]];
  for (const field of used) requireApproval(place.config, [...place.path, field]);
  const headers = Object.entries(entry.headers ?? {})
    .map(([name, value]) => [name, expandField(value, ["headers", name], place) ?? ""]);
  const baseUrl = expandBaseUrl(entry, place);
  return {
    provider: entry.provider ?? "auto",
    baseUrl,
    apiKey: expandField(entry.api_key, ["api_key"], place),
    headers: Object.fromEntries(headers) as Record<string, string>,
    api: entry.api,
    extraBody: entry.extra_body,
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

function unknownModel(config: Config, name: string): ConfigurationError {
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

/** Where a request goes, before it is known with which key. */
interface Destination {
  /** The entry of the file and its place, when the model has one. */
  found: [ModelEntry, number] | undefined;
  /** The server that a flag or a variable names. */
  elsewhere: string | undefined;
  /** Whether that is the server of `OPENAI_BASE_URL`. */
  isOpenAIs: boolean;
  /** Whether the environment counts: an entry that a flag named is meant as it stands. */
  useEnv: boolean;
}

function destinationOf(
  config: Config,
  env: Environment,
  flags: ModelFlags,
  name: string | undefined,
): Destination {
  const found = findEntry(config, name);
  const useEnv = flags.model === undefined || found === undefined || flags.baseUrl !== undefined;
  const fromEnv = useEnv ? overrides(env).baseUrl?.value : undefined;
  const elsewhere = flags.baseUrl ?? fromEnv;
  const isOpenAIs = elsewhere !== undefined && elsewhere === env.OPENAI_BASE_URL;
  return { found, elsewhere, isOpenAIs, useEnv };
}

/** The key for the server at `baseUrl`, and where it is from. */
function keyFor(
  baseUrl: string,
  { found, isOpenAIs, useEnv }: Destination,
  entry: EndpointOptions | undefined,
  config: Config,
  env: Environment,
): Sourced<string> | undefined {
  const serviceVariable = keyVariableOf(normalizeBaseUrl(baseUrl));
  const isForOpenAI = serviceVariable === "OPENAI_API_KEY" ||
    (serviceVariable === undefined && isOpenAIs);
  const openai = useEnv && isForOpenAI ? fromEnvironment(env, "OPENAI_API_KEY") : undefined;
  if (openai !== undefined) return openai;
  if (entry?.apiKey) {
    const variable = VARIABLE_ALONE.exec(found![0].api_key!)?.[1];
    const source = variable ?? config.locate(["models", found![1], "api_key"]);
    return { value: entry.apiKey, source };
  }
  return serviceVariable === undefined ? undefined : fromEnvironment(env, serviceVariable);
}

/**
 * Finds the model to ask, and where its key is from.
 *
 * @throws {ConfigurationError} when none is configured, the one named is not, or a value refers to
 *   an environment variable that is not set
 */
export function resolveWithKey(
  config: Config,
  env: Environment,
  flags: ModelFlags,
): { model: ResolvedModel; keySource: string | undefined } {
  const name = flags.model ?? overrides(env).model?.value ?? config.value.default ??
    config.value.models?.[0]?.id;
  if (name === "") throw new ConfigurationError("the name of the model is empty");
  const destination = destinationOf(config, env, flags, name);
  const { found, elsewhere, useEnv } = destination;
  const given = found?.[0];
  if (name === "mock" && given === undefined && flags.baseUrl === undefined) {
    return { model: { model: name, provider: "mock" }, keySource: undefined };
  }

  const place = { path: ["models", found?.[1] ?? 0], config, env };
  const isThere = elsewhere === undefined ||
    (given !== undefined && elsewhere === expandBaseUrl(given, place));
  const first: Sourced<string> | undefined = flags.apiKey === undefined
    ? (useEnv ? fromEnvironment(env, "FLEXLLM_API_KEY") : undefined)
    : { value: flags.apiKey, source: "--api-key" };
  // What is not sent need not be set: the key and the headers of another server.
  const entry = given && isThere
    ? expandEntry(first === undefined ? given : { ...given, api_key: undefined }, given.id, place)
    : undefined;
  const baseUrl = elsewhere ?? entry?.baseUrl;
  const provider = elsewhere === undefined ? entry?.provider ?? "auto" : "auto";
  if (name === undefined && elsewhere !== undefined) {
    throw new ConfigurationError(`no model is named to ask at ${safeUrl(elsewhere)}`, {
      hint: "Name it with -m or FLEXLLM_MODEL; `flexllm models` lists what a server offers.",
    });
  }
  if (name === undefined) throw noModel(config);
  if (given?.provider === "mock" && baseUrl === undefined) {
    return { model: { model: given.id, provider: "mock" }, keySource: undefined };
  }
  const server = baseUrl ?? baseUrlOf(provider);
  if (server === undefined && given !== undefined) {
    throw new ConfigurationError(
      `${config.locate(["models", found![1]])}: the model "${name}" has no base_url`,
      { hint: `Give one, or a provider that has one: ${PROVIDER_NAMES.slice(2).join(", ")}.` },
    );
  }
  if (server === undefined) {
    // As every OpenAI tool does: a key for OpenAI and no other server means OpenAI.
    const openai = fromEnvironment(env, "OPENAI_API_KEY");
    if (openai === undefined) throw unknownModel(config, name);
    const { value, source } = first ?? openai;
    return { model: { model: name, provider: "openai", apiKey: value }, keySource: source };
  }
  const key = first ?? keyFor(server, destination, entry, config, env);
  const model: ResolvedModel = {
    model: given?.id ?? name,
    provider,
    baseUrl,
    apiKey: key?.value,
    api: elsewhere === undefined ? entry?.api : undefined,
    headers: elsewhere === undefined ? entry?.headers : undefined,
    extraBody: elsewhere === undefined ? entry?.extraBody : undefined,
    prices: elsewhere === undefined ? entry?.prices : undefined,
  };
  return { model, keySource: key?.source };
}

/**
 * Finds the model to ask.
 *
 * @throws {ConfigurationError} as {@link resolveWithKey} does
 */
export function resolveModel(config: Config, env: Environment, flags: ModelFlags): ResolvedModel {
  return resolveWithKey(config, env, flags).model;
}
