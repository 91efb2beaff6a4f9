/**
 * The conversation that a question of `flexllm ask` belongs to: a new one, or with `-c` the last.
 *
 * @module
 */
import process from "node:process";
import { homeFolder } from "../../lib/files/paths.ts";
import type { Conversation, ConversationSettings } from "../../lib/conversations/conversation.ts";
import { ConversationStore, copyOf, newConversation } from "../../lib/conversations/store.ts";
import type { AskFlags } from "./flags.ts";
import { goOnWith, settingsOf } from "../conversation/settings.ts";
import { writeWarning } from "../terminal/output.ts";
import { fileReason } from "../../lib/files/reasons.ts";

/** A conversation that is read, and kept when it has an answer. */
export interface KeptConversation {
  /** The conversation that goes on; `undefined` when one begins. */
  last: Conversation | undefined;
  /** The conversation to ask in. */
  begin(
    model: Pick<ConversationSettings, "model" | "named_model" | "base_url">,
    system: string | undefined,
  ): Conversation;
  /** Keeps it. Trouble with the disk is told and is no failure: the answer has been given. */
  keep(conversation: Conversation): void;
  /** Lets other processes go on with it. */
  close(): void;
}

/** Opens the conversation that the flags mean. */
export async function openConversation(flags: AskFlags): Promise<KeptConversation> {
  const store = new ConversationStore(homeFolder(process.env));
  const last = flags.continue ? store.latest() : undefined;
  const saves = flags.save && last !== undefined;
  const lock = saves ? await store.lock(last.id) : undefined;
  return {
    last,
    begin(model, system) {
      const given = { ...model, ...system === undefined ? {} : { system }, ...settingsOf(flags) };
      if (last === undefined) return newConversation(given);
      const conversation = goOnWith(last, given);
      // Another process has it open; both go on, each with its own.
      return saves && lock === undefined ? copyOf(conversation) : conversation;
    },
    keep(conversation) {
      if (!flags.save) return;
      try {
        store.save(conversation);
      } catch (error) {
        writeWarning(
          `the conversation cannot be kept: ${fileReason(error)} (--no-save for silence)`,
        );
      }
    },
    close: () => lock?.release(),
  };
}
