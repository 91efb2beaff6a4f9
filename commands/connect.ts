/**
 * Creates clients from flags, environment and configuration.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import type { AttachmentOptions } from "../lib/transport/load_file.ts";
import type { Sampling } from "../lib/chat/sampling_fields.ts";
import { LLMClient } from "../lib/client/client.ts";
import type { CacheOptions } from "../lib/cache/options.ts";
import type { ClientOptions, EndpointOptions } from "../lib/client/client_options.ts";
import { lowerLimits } from "../lib/config/entry_limits.ts";
import { type RedisOptions, redisOptions } from "../lib/client/redis_options.ts";
import { configuredPrices } from "../lib/config/configured_prices.ts";
import { cleartextWarning, type KeyedServer } from "../lib/config/cleartext.ts";
import type { Config } from "../lib/config/load.ts";
import { type CacheSettings, reachableCache } from "../lib/config/resolve_cache.ts";
import { resolveEndpoint } from "../lib/config/resolve_endpoints.ts";
import { type ModelFlags, resolveWithKey } from "../lib/config/resolve_model.ts";
import { requireApproval } from "../lib/config/trust.ts";
import { homeFolder } from "../lib/files/paths.ts";
import type { PriceRow } from "../lib/pricing/price.ts";
import type { RedisSettings } from "../lib/redis/redis_settings.ts";
import { readPriceFile } from "../lib/pricing/price_file.ts";
import { maskKey, shownUrl } from "../lib/redact.ts";
import { callListeners, type LogFlags } from "./call_log.ts";
import { colored, writeNote } from "./terminal/output.ts";
import { writeWarning } from "./terminal/sentences.ts";

/** Flags that select a model and how to connect to it. */
export type ConnectionFlags = ModelFlags & LogFlags & { allowPrivateUrls?: true; verbose?: true };

const warnedServers = new Set<string>();

/** Warns once per host about keys that are sent unencrypted. */
export function warnAboutCleartext(servers: readonly KeyedServer[]): void {
  for (const warning of servers.map(cleartextWarning)) {
    if (warning === undefined || warnedServers.has(warning)) continue;
    warnedServers.add(warning);
    writeWarning(warning);
  }
}

/**
 * Returns the options of a cache that prints a warning if it cannot be used.
 *
 * @param redis the server that processes share, where the cache then is by default
 * @throws {ConfigurationError} if the cache is on a server that the user has not approved
 */
export function withCacheWarnings(
  config: Config,
  cache: false | CacheSettings,
  redis?: RedisSettings,
): false | CacheOptions {
  if (cache === false) return false;
  requireApproval(config, ["cache"]);
  const settings = reachableCache(config, cache, process.env, redis);
  return { ...settings, onWarning: writeWarning };
}

/** Returns the client option for a server that processes share; its loss and return are printed. */
export function withRedisWarnings(
  redis: RedisSettings | undefined,
  budget?: string,
): RedisOptions | undefined {
  return redis && redisOptions(redis, { budget, isRequired: true, onWarning: writeWarning });
}

/** The user's prices: those in the configuration, then those in `pricing.json`. */
export function userPrices(config: Config): PriceRow[] {
  return [
    ...configuredPrices(config.value, process.env),
    ...readPriceFile(join(homeFolder(process.env), "pricing.json")),
  ];
}

/** Which attachments may be downloaded. */
export function attachmentOptions(config: Config, flags: ConnectionFlags): AttachmentOptions {
  return { allowPrivateUrls: flags.allowPrivateUrls ?? config.value.allow_private_urls ?? false };
}

/** Describes a key without showing it, and where it comes from. */
export function describeKey(apiKey: string | undefined, source: string | undefined): string {
  if (!apiKey) return "no key";
  return `key ${maskKey(apiKey)}${source === undefined ? "" : ` from ${source}`}`;
}

/** Describes a model, its server and its masked key, for `--verbose`. */
export function describeEndpoint(
  { model, baseUrl, provider, apiKey, keySource }: EndpointOptions & {
    model?: string;
    keySource?: string;
  },
): string {
  const server = baseUrl ? shownUrl(baseUrl) : `provider ${provider}`;
  return `${model} at ${server}, ${describeKey(apiKey, keySource)}`;
}

/** Prints the configuration file and the endpoints in use, for `--verbose`. */
export function printConnection(config: Config, endpoints: readonly string[]): void {
  writeNote(colored("dim", `configuration: ${config.file ?? "none"}`));
  for (const endpoint of endpoints) writeNote(colored("dim", endpoint));
}

/** A client for one model. */
export interface ModelConnection {
  client: LLMClient;
  /** The model's id at the server. */
  model: string;
  /** The options that the client was created with. */
  endpoint: EndpointOptions;
  /** Where its key comes from: a variable, a position in the file, or a stored key. */
  keySource: string | undefined;
  /** The model's default sampling options, from the configuration. */
  options: Sampling;
}

/**
 * Creates the client for the model that flags, environment and configuration select.
 *
 * @throws {ConfigurationError} if there is no such model
 */
export function connectModel(
  config: Config,
  flags: ConnectionFlags,
  settings: Omit<ClientOptions, "model">,
): ModelConnection {
  const { model: { options = {}, limits = {}, ...resolved }, keySource } = resolveWithKey(
    config,
    process.env,
    flags,
  );
  if (flags.verbose) {
    printConnection(config, [`model: ${describeEndpoint({ ...resolved, keySource })}`]);
  }
  warnAboutCleartext([resolved]);
  const endpoint = { ...resolved, prices: [...resolved.prices ?? [], ...userPrices(config)] };
  const attachments = attachmentOptions(config, flags);
  const { weight: _, ...effective } = lowerLimits(limits, settings);
  const client = new LLMClient({
    ...endpoint,
    attachments,
    ...settings,
    ...effective,
    ...callListeners(flags),
  });
  return { client, model: resolved.model, endpoint, keySource, options };
}

/**
 * Creates a client for one of the configured batch endpoints, without retries.
 *
 * @param i index in `batch.endpoints`
 * @param timeout seconds
 * @throws {ConfigurationError} if the endpoint cannot be used
 */
export function connectEndpoint(config: Config, i: number, timeout: number): ModelConnection {
  const { keySource, ...resolved } = resolveEndpoint(config, process.env, i);
  warnAboutCleartext([resolved]);
  const endpoint = { ...resolved, prices: [...resolved.prices ?? [], ...userPrices(config)] };
  const client = new LLMClient({ ...endpoint, timeout, retryTimes: 0 });
  return { client, model: resolved.model, endpoint, keySource, options: {} };
}
