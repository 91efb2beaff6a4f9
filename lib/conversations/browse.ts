/**
 * Walks through saved conversations that match a filter, the last used first.
 *
 * @module
 */
import type { Conversation } from "./conversation.ts";
import type { ConversationStore } from "./store.ts";
import type { DamagedConversation, StoredConversation } from "./summary.ts";

/** Which conversations to select. Without any field, all. */
export interface ConversationFilter {
  /** Only those with an answer from a model whose name contains this text, in any case. */
  model?: string;
  /** Only those last used at this time or later, in milliseconds since 1970. */
  since?: number;
  /** Only those last used at this time or earlier, in milliseconds since 1970. */
  until?: number;
}

/** The names of the models of a conversation: those that answered, and the one that is used next. */
function modelsOf({ model, named_model, turns }: Conversation): string[] {
  const names = [model, named_model, ...turns.map((turn) => turn.model)];
  return names.filter((name) => name !== undefined);
}

/**
 * Reads the conversations that match `filter` one by one, so that a caller can stop early. Damaged files from the
 * same time are among them.
 */
export function* browse(
  store: ConversationStore,
  { model = "", since = -Infinity, until = Infinity }: ConversationFilter = {},
): Generator<StoredConversation | DamagedConversation, void, void> {
  const wanted = model.toLowerCase();
  for (const entry of store.entries()) {
    // All remaining ones are even older.
    if (entry.updated < since) return;
    if (entry.updated > until) continue;
    if (
      "problem" in entry || wanted === "" ||
      modelsOf(entry.conversation).some((name) => name.toLowerCase().includes(wanted))
    ) yield entry;
  }
}
