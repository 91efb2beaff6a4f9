/**
 * Resolves which model to use, at which server and with which key: flags, then environment, then file, and
 * for keys at last the stored ones.
 *
 * A key is sent only to the server it belongs to: a key from the file never to a server named by a flag
 * or variable, and `OPENAI_API_KEY` only to OpenAI and the server of `OPENAI_BASE_URL`.
 *
 * @module
 */
import { normalizeBaseUrl } from "../services/base_url.ts";
import { baseUrlOf, keyVariableOf, PROVIDER_NAMES } from "../services/providers.ts";
import { type Sampling, samplingFromFields } from "../chat/sampling_fields.ts";
import type { EndpointOptions } from "../client/client_options.ts";
import { ConfigurationError } from "../errors.ts";
import { safeUrl } from "../redact.ts";
import { fromEnvironment, overrides, type Sourced } from "./effective.ts";
import { type EntryLimits, entryLimits } from "./entry_limits.ts";
import { entryKey, serviceKey, storedKeyAt } from "./entry_key.ts";
import { expandBaseUrl, expandEntry } from "./expand_entry.ts";
import type { Config } from "./load.ts";
import { noModel, unknownModel } from "./missing_model.ts";
import { findModel, type FoundModel } from "./models.ts";
import type { Environment } from "../files/paths.ts";
import type { ModelEntry } from "./schema.ts";
import { requireApprovalOfGeneralKey } from "./trust.ts";

/** The connection flags of a command. */
export interface ModelFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
}

/** Client options for one model. */
export interface ResolvedModel extends EndpointOptions {
  /** The model's id at the server. */
  model: string;
  /** Its default sampling options, from the configuration. */
  options?: Sampling;
  /** Its limits, from the configuration. */
  limits?: EntryLimits;
}

/** A resolved model and the source of its key; see {@link Sourced}. */
export interface ModelAndKeySource {
  model: ResolvedModel;
  keySource: string | undefined;
}

/** Where requests go, before the key is resolved. */
interface Destination {
  /** The configured model, if there is one. */
  found: FoundModel | undefined;
  /** The server named by a flag or variable instead of the file. */
  override: string | undefined;
  /** Whether `override` comes from `OPENAI_BASE_URL`. */
  isOpenAIOverride: boolean;
  /** Whether variables apply: not if a flag names a configured model, which is then used unchanged. */
  usesEnv: boolean;
}

function destinationOf(
  config: Config,
  env: Environment,
  flags: ModelFlags,
  name: string | undefined,
): Destination {
  const found = findModel(config.value, name);
  const usesEnv = flags.model === undefined || found === undefined || flags.baseUrl !== undefined;
  const override = flags.baseUrl ?? (usesEnv ? overrides(env).baseUrl?.value : undefined);
  const isOpenAIOverride = override !== undefined && override === env.OPENAI_BASE_URL;
  return { found, override, isOpenAIOverride, usesEnv };
}

/** The key given explicitly: by `--api-key`, otherwise by `FLEXLLM_API_KEY`. */
function explicitKey(
  { apiKey }: ModelFlags,
  env: Environment,
  { usesEnv }: Destination,
): Sourced<string> | undefined {
  if (apiKey !== undefined) return { value: apiKey, source: "--api-key" };
  return usesEnv ? fromEnvironment(env, "FLEXLLM_API_KEY") : undefined;
}

/** The key for the server at `baseUrl` if none is given explicitly. */
function keyFor(
  baseUrl: string,
  { found, isOpenAIOverride, usesEnv }: Destination,
  isConfigured: boolean,
  config: Config,
  env: Environment,
): Sourced<string> | undefined {
  const serviceVariable = keyVariableOf(normalizeBaseUrl(baseUrl));
  const isForOpenAI = serviceVariable === "OPENAI_API_KEY" ||
    (serviceVariable === undefined && isOpenAIOverride);
  const openai = usesEnv && isForOpenAI ? fromEnvironment(env, "OPENAI_API_KEY") : undefined;
  if (openai !== undefined) return openai;
  if (found === undefined || !isConfigured) return serviceKey(baseUrl, env);
  const [entry, i] = found;
  return entryKey(entry, baseUrl, { path: ["models", i], config, env });
}

/** Expands the configured model, unless requests go to another server than its own. */
function expandFound(
  { found, override }: Destination,
  config: Config,
  env: Environment,
): EndpointOptions | undefined {
  if (found === undefined) return undefined;
  const [entry, i] = found;
  const context = { path: ["models", i], config, env };
  if (override !== undefined && override !== expandBaseUrl(entry, context)) return undefined;
  return expandEntry(entry, entry.id, context);
}

/** The sampling options and the limits of a configured model. */
function configuredSettings(
  entry: ModelEntry | undefined,
): Pick<ResolvedModel, "options" | "limits"> {
  if (entry === undefined) return {};
  const { options } = entry;
  const limits = entryLimits(entry);
  const isLimited = Object.values(limits).some((value) => value !== undefined);
  return {
    ...options && { options: samplingFromFields(options) },
    ...isLimited && { limits },
  };
}

/** The model if neither the file nor a flag or variable names a server. */
function withoutServer(
  config: Config,
  env: Environment,
  name: string,
  { found }: Destination,
  explicit: Sourced<string> | undefined,
): ModelAndKeySource {
  if (found !== undefined) {
    throw new ConfigurationError(
      `${config.locate(["models", found[1]])}: the model "${name}" has no base_url`,
      {
        hint: `Set base_url, or a provider with a default: ${PROVIDER_NAMES.slice(2).join(", ")}.`,
      },
    );
  }
  // As in other OpenAI clients: an OpenAI key and no server means OpenAI.
  const server = baseUrlOf("openai")!;
  const isOpenAI = env.OPENAI_API_KEY || storedKeyAt(server, env) !== undefined;
  if (!isOpenAI) throw unknownModel(config, name);
  const key = explicit ?? serviceKey(server, env);
  return { model: { model: name, provider: "openai", apiKey: key?.value }, keySource: key?.source };
}

/** The name under which flags, environment and configuration request a model; `undefined` if they don't. */
export function requestedModel(
  { value }: Config,
  env: Environment,
  flags: ModelFlags,
): string | undefined {
  return flags.model ?? overrides(env).model?.value ?? value.default ?? value.models?.[0]?.id;
}

/**
 * Resolves the model to use and the source of its key.
 *
 * @throws {ConfigurationError} if no model is configured, the named one is not, or a value refers to a
 *   variable that is not set
 */
export function resolveWithKey(
  config: Config,
  env: Environment,
  flags: ModelFlags,
): ModelAndKeySource {
  const name = requestedModel(config, env, flags);
  if (name === "") throw new ConfigurationError("the model name is empty");
  const destination = destinationOf(config, env, flags, name);
  const { found, override } = destination;
  const configured = found?.[0];
  if (name === "mock" && configured === undefined && flags.baseUrl === undefined) {
    return { model: { model: name, provider: "mock" }, keySource: undefined };
  }

  const explicit = explicitKey(flags, env, destination);
  const entry = expandFound(destination, config, env);
  const baseUrl = override ?? entry?.baseUrl;
  const provider = override === undefined ? entry?.provider ?? "auto" : "auto";
  if (name === undefined && override !== undefined) {
    throw new ConfigurationError(`no model is given for ${safeUrl(override)}`, {
      hint: "Set it with -m or FLEXLLM_MODEL; `flexllm models` lists what a server offers.",
    });
  }
  if (name === undefined) throw noModel(config);
  if (configured?.provider === "mock" && baseUrl === undefined) {
    const { id, provider } = configured;
    const model = { model: id, provider, ...configuredSettings(configured) };
    return { model, keySource: undefined };
  }
  const server = baseUrl ?? baseUrlOf(provider);
  if (server === undefined) return withoutServer(config, env, name, destination, explicit);
  const isChosenByFile = found !== undefined && override === undefined;
  if (explicit?.source === "FLEXLLM_API_KEY" && isChosenByFile) {
    requireApprovalOfGeneralKey(config, ["models", found[1]]);
  }
  const key = explicit ?? keyFor(server, destination, entry !== undefined, config, env);
  // With an override, nothing but the model's id is taken from the file.
  const settings = override === undefined ? entry : undefined;
  const model: ResolvedModel = {
    model: configured?.id ?? name,
    provider,
    baseUrl,
    apiKey: key?.value,
    api: settings?.api,
    headers: settings?.headers,
    extraBody: settings?.extraBody,
    prices: settings?.prices,
    ...settings && configuredSettings(configured),
  };
  return { model, keySource: key?.source };
}

/**
 * Resolves the model to use.
 *
 * @throws {ConfigurationError} as {@link resolveWithKey} does
 */
export function resolveModel(config: Config, env: Environment, flags: ModelFlags): ResolvedModel {
  return resolveWithKey(config, env, flags).model;
}
