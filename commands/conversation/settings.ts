/**
 * Applies the flags of `ask` and `chat` to the settings of a conversation.
 *
 * @module
 */
import { type Sampling, samplingToFields } from "../../lib/chat/sampling_fields.ts";
import type { Config } from "../../lib/config/load.ts";
import type { Conversation, ConversationSettings } from "../../lib/conversations/conversation.ts";

/** The flags that are saved with a conversation. */
export interface SettingsFlags extends Sampling {
  system?: string;
}

/** Whether a conversation is saved: as the flag says, or else the configuration; by default it is. */
export function savesConversation({ value }: Config, { save }: { save?: boolean }): boolean {
  return save ?? value.save_conversations ?? true;
}

/** The settings given as flags. */
export function settingsOf(flags: SettingsFlags): Partial<ConversationSettings> {
  const sampling = samplingToFields(flags);
  return flags.system === undefined ? sampling : { system: flags.system, ...sampling };
}

/** A saved conversation with new settings, which must include those of the connected model. */
export function withSettings(
  saved: Conversation,
  settings: Partial<ConversationSettings>,
): Conversation {
  const { named_model: _name, base_url: _url, ...unchanged } = saved;
  return { ...unchanged, ...settings };
}
