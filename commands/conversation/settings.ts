/**
 * How the flags of `chat` and `ask` change the settings of a conversation.
 *
 * @module
 */
import type { Thinking } from "../../lib/chat/options.ts";
import type { Conversation, ConversationSettings } from "../../lib/conversations/conversation.ts";

/** The flags that are settings. */
export interface SettingFlags {
  system?: string;
  temperature?: number;
  maxTokens?: number;
  thinking?: Thinking;
}

/** The settings that the flags give. */
export function settingsOf(flags: SettingFlags): Partial<ConversationSettings> {
  const settings: Partial<ConversationSettings> = {};
  if (flags.system !== undefined) settings.system = flags.system;
  if (flags.temperature !== undefined) settings.temperature = flags.temperature;
  if (flags.maxTokens !== undefined) settings.max_tokens = flags.maxTokens;
  if (flags.thinking !== undefined) settings.thinking = flags.thinking;
  return settings;
}

/** The kept conversation with the settings that are given now; the model is always given. */
export function goOnWith(
  kept: Conversation,
  given: Partial<ConversationSettings>,
): Conversation {
  const { named_model: _name, base_url: _url, ...rest } = kept;
  return { ...rest, ...given };
}
