/**
 * Connects a conversation to its model: the one on the command line, or the one it was saved with.
 *
 * @module
 */
import process from "node:process";
import type { Sampling } from "../../lib/chat/sampling_fields.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import type { EndpointOptions } from "../../lib/client/client_options.ts";
import type { Config } from "../../lib/config/load.ts";
import type { ConversationSettings } from "../../lib/conversations/conversation.ts";
import { requireKey } from "../../lib/config/missing_key.ts";
import { modelNames, selectableModels } from "../../lib/config/models.ts";
import { resolveCache } from "../../lib/config/resolve_cache.ts";
import { resolveRedis } from "../../lib/config/resolve_redis.ts";
import { resolveModel } from "../../lib/config/resolve_model.ts";
import { isPrivateHost } from "../../lib/services/private_host.ts";
import { baseUrlOf } from "../../lib/services/providers.ts";
import type { LogFlags } from "../call_log.ts";
import { connectModel, withCacheWarnings, withRedisWarnings } from "../connect.ts";
import { INTERACTIVE_MAX_WAIT } from "../flags/model.ts";

/** The flags that choose a model and configure its client. */
export interface ConnectionFlags extends LogFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
  timeout?: number;
  retryTimes?: number;
  maxWait?: number;
  allowPrivateUrls?: true;
  /** Whether to use the response cache. @default the configured value */
  cache?: boolean;
  /** The Redis server that processes share. @default the variable's or configured one */
  redis?: string;
  /** What happens while that server cannot be used. */
  onStoreLoss?: string;
  verbose?: true;
}

/** The saved settings that identify the model and its server. */
export type ModelSettings = Pick<ConversationSettings, "model" | "named_model" | "base_url">;

/** A client, and the settings to save so that the conversation can be resumed with the same model. */
export interface ConversationModel {
  client: LLMClient;
  settings: ModelSettings;
  /** The model's default sampling options, from the configuration. They are not saved. */
  defaults: Sampling;
  /** The server. */
  server: ModelServer;
}

/** The server of a model. */
export interface ModelServer {
  /** Its URL; absent for the mock. */
  baseUrl?: string;
  apiKey?: string;
  /** Whether it is the mock, or on this machine or a private network, where answers usually cost nothing. */
  isLocal: boolean;
}

function serverOf({ provider, baseUrl, apiKey }: EndpointOptions): ModelServer {
  if (provider === "mock" && baseUrl === undefined) return { isLocal: true };
  const url = baseUrl ?? baseUrlOf(provider ?? "auto");
  const isLocal = url !== undefined && URL.canParse(url) && isPrivateHost(new URL(url).hostname);
  return { baseUrl: url, apiKey, isLocal };
}

/** The key that the configuration has for the server at `baseUrl`. */
function configuredKey(config: Config, baseUrl: string): string | undefined {
  for (const name of modelNames(config.value)) {
    try {
      const resolved = resolveModel(config, process.env, { model: name });
      if (resolved.baseUrl === baseUrl) return resolved.apiKey;
    } catch {
      // Another model may be configured incompletely.
    }
  }
  return undefined;
}

/** The key for a server that a conversation was saved with. Keys are not saved. */
function keyForSaved(
  config: Config,
  flags: ConnectionFlags,
  baseUrl: string | undefined,
): string | undefined {
  if (flags.apiKey !== undefined || baseUrl === undefined) return flags.apiKey;
  const { apiKey } = resolveModel(config, process.env, { model: "any", baseUrl });
  return apiKey === undefined ? configuredKey(config, baseUrl) : undefined;
}

/** The URL if it can be saved; a URL with credentials or a query is not. */
function savableUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { username, password, search } = new URL(url);
  return username + password + search === "" ? url : undefined;
}

/** Connects to the model that the flags name, or else to that of a saved conversation. */
export function connectConversation(
  config: Config,
  flags: ConnectionFlags,
  saved: Partial<ModelSettings> = {},
): ConversationModel {
  const model = flags.model ?? saved.named_model;
  // The saved server belongs to the saved model, so -m does not use it.
  const baseUrl = flags.baseUrl ?? (flags.model === undefined ? saved.base_url : undefined);
  const { timeout, retryTimes, maxWait = INTERACTIVE_MAX_WAIT } = flags;
  const redis = resolveRedis(config, process.env, flags);
  const cache = withCacheWarnings(config, resolveCache(config, flags), redis);
  const options = { timeout, retryTimes, maxWait, cache, redis: withRedisWarnings(redis) };
  const apiKey = keyForSaved(config, flags, flags.baseUrl === undefined ? baseUrl : undefined);
  const connected = connectModel(config, { ...flags, model, baseUrl, apiKey }, options);
  // An answer from the cache needs no key.
  if (cache === false) requireKey(connected.endpoint);
  const settings: ModelSettings = { model: connected.model };
  if (model !== undefined) settings.named_model = model;
  const url = savableUrl(baseUrl);
  if (url !== undefined) settings.base_url = url;
  const { client, options: defaults, endpoint } = connected;
  return { client, settings, defaults, server: serverOf(endpoint) };
}

/** Connects to the model of another saved conversation, as `--resume` would do. */
export function reconnect(
  config: Config,
  { baseUrl, apiKey, ...given }: ConnectionFlags,
  saved: ModelSettings,
): ConversationModel {
  const { timeout, retryTimes, maxWait, allowPrivateUrls, cache, redis, onStoreLoss } = given;
  const flags = { timeout, retryTimes, maxWait, allowPrivateUrls, cache, redis, onStoreLoss };
  // --api-key was given for the server of --base-url, and must not be sent to another.
  const isSameServer = baseUrl !== undefined && baseUrl === saved.base_url;
  return connectConversation(config, isSameServer ? { ...flags, apiKey } : flags, saved);
}

/**
 * Connects a running chat to another model: a configured one, or else one at the server in use.
 *
 * @param server the server in use
 */
export function switchModel(
  config: Config,
  flags: ConnectionFlags,
  model: string,
  server: ModelServer,
): ConversationModel {
  const { timeout, retryTimes, maxWait, allowPrivateUrls, cache, redis, onStoreLoss } = flags;
  // --api-key was given for another server and must not be sent to this one.
  if (selectableModels(config.value).includes(model) && model !== flags.model) {
    const kept = { timeout, retryTimes, maxWait, allowPrivateUrls, cache, redis, onStoreLoss };
    return connectConversation(config, { ...kept, model });
  }
  if (server.baseUrl === undefined) {
    return connectConversation(config, { ...flags, model, baseUrl: flags.baseUrl });
  }
  const { baseUrl, apiKey } = server;
  return connectConversation(config, { ...flags, model, baseUrl, apiKey });
}
