/**
 * `flexllm chat --delete`: deletes saved conversations.
 *
 * @module
 */
import { titleOf } from "../../lib/conversations/conversation.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { AbortedError, InvalidInputError } from "../../lib/errors.ts";
import { counted } from "../terminal/format.ts";
import { printable } from "../terminal/sanitize.ts";
import { writeNote } from "../terminal/output.ts";

/** Throws an error if another process has the conversation open: it would save it again. */
export async function requireUnused(store: ConversationStore, id: string): Promise<void> {
  const lock = await store.lock(id);
  if (lock === undefined) {
    throw new InvalidInputError(`the conversation ${id} is open in another process`, {
      hint: "Exit that chat first.",
    });
  }
  lock.release();
}

/**
 * Deletes conversations, each given by its number, its id or a text. Nothing is deleted if one cannot be
 * found. On a terminal, the user confirms unless `yes` is set.
 *
 * @throws {InvalidInputError} if one is not found, ambiguous or in use
 * @throws {AbortedError} if the user declines
 */
export async function deleteConversations(
  store: ConversationStore,
  references: readonly string[],
  yes: boolean,
): Promise<void> {
  const found = references.map((reference) => store.find(reference));
  const conversations = [...new Map(found.map((found) => [found.id, found])).values()];
  for (const { id } of conversations) await requireUnused(store, id);
  const { canPrompt, promptYesNo } = await import("../terminal/prompts.ts");
  if (!yes && canPrompt()) {
    for (const conversation of conversations) {
      writeNote(`  ${conversation.id}  ${printable(titleOf(conversation))}`);
    }
    const question = `Delete ${counted(conversations.length, "conversation")}?`;
    if (!await promptYesNo(question, false)) throw new AbortedError("nothing was deleted");
  }
  for (const { id } of conversations) {
    store.remove(id);
    writeNote(`Deleted ${id}.`);
  }
}
