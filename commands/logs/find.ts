/**
 * Finds the saved conversations that arguments refer to.
 *
 * @module
 */
import { browse, type ConversationFilter } from "../../lib/conversations/browse.ts";
import type { Conversation } from "../../lib/conversations/conversation.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import type { StoredConversation } from "../../lib/conversations/summary.ts";
import { InvalidInputError } from "../../lib/errors.ts";
import { writeWarning } from "../terminal/sentences.ts";

/** The name of the conversation that was used last. */
const LAST = "last";

/** The readable conversations that match `filter`, the last used first. Damaged files are warnings. */
export function* readable(
  store: ConversationStore,
  filter: ConversationFilter = {},
): Generator<StoredConversation, void, void> {
  for (const entry of browse(store, filter)) {
    if ("problem" in entry) writeWarning(entry.problem);
    else yield entry;
  }
}

/**
 * The last used conversations that match `filter`, the last one first.
 *
 * @throws {InvalidInputError} if there is none
 */
export function lastUsed(
  store: ConversationStore,
  count: number,
  filter: ConversationFilter = {},
): Conversation[] {
  const found: Conversation[] = [];
  for (const { conversation } of readable(store, filter)) {
    found.push(conversation);
    if (found.length === count) break;
  }
  if (found.length === 0) {
    throw new InvalidInputError("there is no saved conversation", {
      hint: "ask and chat save their conversations, unless --no-save is given.",
    });
  }
  return found;
}

/**
 * The conversation that `reference` means: `last`, a number in the list, an id or its start, or words from it.
 *
 * @throws {InvalidInputError} if there is none, more than one, or its file is damaged
 */
export function findConversation(store: ConversationStore, reference: string): Conversation {
  return reference === LAST ? lastUsed(store, 1)[0] : store.find(reference);
}

/** Finds several conversations like {@link findConversation}, each once. */
export function findConversations(
  store: ConversationStore,
  references: readonly string[],
): Conversation[] {
  const found = references.map((reference) => findConversation(store, reference));
  return [...new Map(found.map((conversation) => [conversation.id, conversation])).values()];
}
