/**
 * Which model a conversation is with: the one that was named, also when the conversation goes on.
 *
 * @module
 */
import type { LLMClient } from "../../lib/client/client.ts";
import type { Config } from "../../lib/config/load.ts";
import type { ConversationSettings } from "../../lib/conversations/conversation.ts";
import { resolveCache } from "../../lib/config/resolve_cache.ts";
import { connectModel, withCacheWarnings } from "../connect.ts";
import { INTERACTIVE_MAX_WAIT } from "../flags/model.ts";

/** The flags that a chat connects with. */
export interface ConnectFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
  timeout?: number;
  retryTimes?: number;
  maxWait?: number;
  allowPrivateUrls?: true;
  verbose?: true;
}

/** The settings that say which model is asked. */
export type ModelSettings = Pick<ConversationSettings, "model" | "named_model" | "base_url">;

/** A model that is connected to. */
export interface ConnectedModel {
  client: LLMClient;
  settings: ModelSettings;
}

/** A URL that may be kept: without credentials. */
function keptUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { username, password, search } = new URL(url);
  return username + password + search === "" ? url : undefined;
}

/** The names that `-m` and `/model` know. */
export function configuredNames(config: Config): string[] {
  const names = (config.value.models ?? []).map(({ id, name = id }) => name);
  return [...new Set([...names, "mock"])];
}

/** Connects to the model that the flags mean, or that a kept conversation is with. */
export function connectTo(
  config: Config,
  flags: ConnectFlags,
  kept: Partial<ModelSettings> = {},
): ConnectedModel {
  const model = flags.model ?? kept.named_model;
  // The server of the conversation was named for its own model.
  const baseUrl = flags.baseUrl ?? (flags.model === undefined ? kept.base_url : undefined);
  const { timeout, retryTimes, maxWait = INTERACTIVE_MAX_WAIT } = flags;
  const cache = withCacheWarnings(config, resolveCache(config));
  const options = { timeout, retryTimes, maxWait, cache };
  const connected = connectModel(config, { ...flags, model, baseUrl }, options);
  const settings: ModelSettings = { model: connected.model };
  if (model !== undefined) settings.named_model = model;
  const url = keptUrl(baseUrl);
  if (url !== undefined) settings.base_url = url;
  return { client: connected.client, settings };
}

/** Connects to another model in the middle of a chat. */
export function switchTo(
  config: Config,
  flags: ConnectFlags,
  kept: ModelSettings,
  model: string,
): ConnectedModel {
  const { timeout, retryTimes, maxWait, allowPrivateUrls } = flags;
  // A key that was given for one server goes to no other.
  if (configuredNames(config).includes(model) && model !== flags.model) {
    return connectTo(config, { model, timeout, retryTimes, maxWait, allowPrivateUrls });
  }
  return connectTo(config, { ...flags, model, baseUrl: flags.baseUrl ?? kept.base_url });
}
