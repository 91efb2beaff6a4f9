/**
 * Connects a conversation to its model: the one on the command line, or the one it was saved with.
 *
 * @module
 */
import type { Sampling } from "../../lib/chat/sampling_fields.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import type { Config } from "../../lib/config/load.ts";
import type { ConversationSettings } from "../../lib/conversations/conversation.ts";
import { resolveCache } from "../../lib/config/resolve_cache.ts";
import { connectModel, withCacheWarnings } from "../connect.ts";
import { INTERACTIVE_MAX_WAIT } from "../flags/model.ts";

/** The flags that choose a model and configure its client. */
export interface ConnectionFlags {
  model?: string;
  baseUrl?: string;
  apiKey?: string;
  timeout?: number;
  retryTimes?: number;
  maxWait?: number;
  allowPrivateUrls?: true;
  /** Whether to use the response cache. @default the configured value */
  cache?: boolean;
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
}

/** The URL if it can be saved; a URL with credentials or a query is not. */
function savableUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { username, password, search } = new URL(url);
  return username + password + search === "" ? url : undefined;
}

/** The model names that `-m` and `/model` accept from the configuration, and `mock`. */
export function configuredNames(config: Config): string[] {
  const names = (config.value.models ?? []).map(({ id, name = id }) => name);
  return [...new Set([...names, "mock"])];
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
  const cache = withCacheWarnings(config, resolveCache(config, flags));
  const options = { timeout, retryTimes, maxWait, cache };
  const connected = connectModel(config, { ...flags, model, baseUrl }, options);
  const settings: ModelSettings = { model: connected.model };
  if (model !== undefined) settings.named_model = model;
  const url = savableUrl(baseUrl);
  if (url !== undefined) settings.base_url = url;
  return { client: connected.client, settings, defaults: connected.options };
}

/** Connects a running chat to another model. */
export function switchModel(
  config: Config,
  flags: ConnectionFlags,
  current: ModelSettings,
  model: string,
): ConversationModel {
  const { timeout, retryTimes, maxWait, allowPrivateUrls, cache } = flags;
  // --api-key was given for another server and must not be sent to this one.
  if (configuredNames(config).includes(model) && model !== flags.model) {
    const kept = { timeout, retryTimes, maxWait, allowPrivateUrls, cache };
    return connectConversation(config, { ...kept, model });
  }
  const baseUrl = flags.baseUrl ?? current.base_url;
  return connectConversation(config, { ...flags, model, baseUrl });
}
