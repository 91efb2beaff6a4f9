/**
 * `flexllm logs rename`: sets or removes the title of a saved conversation.
 *
 * @module
 */
import { titleOf } from "../../lib/conversations/conversation.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { InvalidInputError } from "../../lib/errors.ts";
import { requireUnused } from "../chat/delete_conversations.ts";
import { writeJson, writeNote } from "../terminal/output.ts";
import { printable } from "../terminal/sanitize.ts";
import { findConversation } from "./find.ts";

/** Longest title, in characters. */
const MAX_TITLE = 200;

/**
 * Sets the title of a conversation. An empty title restores the automatic one: the first line of its first message.
 *
 * @throws {InvalidInputError} if the conversation is not found or in use, or the title is too long
 */
export async function renameConversation(
  store: ConversationStore,
  reference: string,
  given: string,
  json: boolean,
): Promise<void> {
  const title = given.trim().replace(/\s+/g, " ");
  if (title.length > MAX_TITLE) {
    throw new InvalidInputError(`the title has ${title.length} characters; maximum: ${MAX_TITLE}`);
  }
  const { id } = findConversation(store, reference);
  await requireUnused(store, id);
  const renamed = store.rename(id, title);
  if (json) writeJson({ id, title: titleOf(renamed) });
  else writeNote(`${id} is now ${JSON.stringify(printable(titleOf(renamed)))}.`);
}
