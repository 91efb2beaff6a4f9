/**
 * Applies the flags of `ask` and `chat` to the settings of a conversation.
 *
 * @module
 */
import type { Thinking } from "../../lib/chat/options.ts";
import type { Conversation, ConversationSettings } from "../../lib/conversations/conversation.ts";

/** The flags that are saved with a conversation. */
export interface SettingsFlags {
  system?: string;
  temperature?: number;
  maxTokens?: number;
  thinking?: Thinking;
}

/** The settings given as flags. */
export function settingsOf(flags: SettingsFlags): Partial<ConversationSettings> {
  const settings: Partial<ConversationSettings> = {};
  if (flags.system !== undefined) settings.system = flags.system;
  if (flags.temperature !== undefined) settings.temperature = flags.temperature;
  if (flags.maxTokens !== undefined) settings.max_tokens = flags.maxTokens;
  if (flags.thinking !== undefined) settings.thinking = flags.thinking;
  return settings;
}

/** A saved conversation with new settings, which must include those of the connected model. */
export function withSettings(
  saved: Conversation,
  settings: Partial<ConversationSettings>,
): Conversation {
  const { named_model: _name, base_url: _url, ...unchanged } = saved;
  return { ...unchanged, ...settings };
}
