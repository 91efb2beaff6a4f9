/**
 * `flexllm logs delete`: deletes saved conversations, named ones or those that were not used for a while.
 *
 * @module
 */
import { titleOf } from "../../lib/conversations/conversation.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { AbortedError, ConfigurationError } from "../../lib/errors.ts";
import { minute } from "../chat/conversation_table.ts";
import { requireUnused } from "../chat/delete_conversations.ts";
import { counted } from "../terminal/format.ts";
import { writeJson, writeNote } from "../terminal/output.ts";
import { printable } from "../terminal/sanitize.ts";
import { writeWarning } from "../terminal/sentences.ts";
import { findConversation, readable } from "./find.ts";

/** How many conversations are listed before the user confirms. */
const MAX_LISTED = 10;

/** What to delete, and how. */
export interface DeleteFlags {
  /** In milliseconds since 1970: conversations that were last used before. */
  olderThan?: number;
  model?: string;
  dryRun?: true;
  yes?: true;
  json?: true;
}

interface Doomed {
  id: string;
  /** What the list shows. */
  shown: string;
}

/** The conversations that arguments refer to. A damaged one is deleted if its whole id is given. */
async function namedOnes(
  store: ConversationStore,
  references: readonly string[],
): Promise<Doomed[]> {
  const doomed = new Map<string, Doomed>();
  for (const reference of references) {
    if (store.has(reference)) {
      doomed.set(reference, { id: reference, shown: "" });
    } else {
      const conversation = findConversation(store, reference);
      doomed.set(conversation.id, { id: conversation.id, shown: titleOf(conversation) });
    }
  }
  for (const id of doomed.keys()) await requireUnused(store, id);
  return [...doomed.values()];
}

function oldOnes(
  store: ConversationStore,
  { olderThan, model }: DeleteFlags,
): Doomed[] {
  return [...readable(store, { until: olderThan, model })].map(({ id, updated, conversation }) => ({
    id,
    shown: `${minute(new Date(updated).toISOString())}  ${titleOf(conversation)}`,
  }));
}

function listDoomed(doomed: readonly Doomed[]): void {
  for (const { id, shown } of doomed.slice(0, MAX_LISTED)) {
    writeNote(`  ${id}  ${printable(shown)}`.trimEnd());
  }
  if (doomed.length > MAX_LISTED) writeNote(`  … and ${doomed.length - MAX_LISTED} more`);
}

/** Asks on a terminal. Without one, naming conversations is enough, but an age is not. */
async function confirm(doomed: readonly Doomed[], { olderThan, yes }: DeleteFlags): Promise<void> {
  if (yes) return;
  const { canPrompt, promptYesNo } = await import("../terminal/prompts.ts");
  if (canPrompt()) {
    listDoomed(doomed);
    const question = `Delete ${counted(doomed.length, "conversation")}?`;
    if (!await promptYesNo(question, false)) throw new AbortedError("nothing was deleted");
  } else if (olderThan !== undefined) {
    throw new ConfigurationError(
      `--older-than would delete ${
        counted(doomed.length, "conversation")
      }, and there is no terminal to confirm`,
      { hint: "Pass --yes to delete them, or --dry-run to list them." },
    );
  }
}

/** Deletes conversations; returns the ids of those that another process has open. */
async function remove(store: ConversationStore, doomed: readonly Doomed[]): Promise<string[]> {
  const open: string[] = [];
  for (const { id } of doomed) {
    const lock = await store.lock(id);
    if (lock === undefined) {
      open.push(id);
      continue;
    }
    lock.release();
    store.remove(id);
  }
  return open;
}

/**
 * Deletes conversations by reference or by age.
 *
 * @throws {InvalidInputError} if one is not found, ambiguous or in use
 * @throws {ConfigurationError} if neither or both are given, or the deletion cannot be confirmed
 * @throws {AbortedError} if the user declines
 */
export async function deleteLogs(
  store: ConversationStore,
  references: readonly string[],
  flags: DeleteFlags,
): Promise<void> {
  const { olderThan, model, dryRun = false, json = false } = flags;
  if ((references.length > 0) === (olderThan !== undefined)) {
    throw new ConfigurationError("name the conversations to delete, or pass --older-than", {
      hint: "For example flexllm logs delete 3, or flexllm logs delete --older-than 30d --dry-run",
    });
  }
  if (model !== undefined && olderThan === undefined) {
    throw new ConfigurationError("--model requires --older-than");
  }
  const doomed = olderThan === undefined
    ? await namedOnes(store, references)
    : oldOnes(store, flags);
  if (dryRun || doomed.length === 0) {
    if (json) return writeJson({ deleted: [], would_delete: doomed.map(({ id }) => id) });
    listDoomed(doomed);
    return writeNote(
      doomed.length === 0
        ? "No conversation is that old."
        : `Would delete ${counted(doomed.length, "conversation")}.`,
    );
  }
  await confirm(doomed, flags);
  const open = await remove(store, doomed);
  const deleted = doomed.map(({ id }) => id).filter((id) => !open.includes(id));
  if (open.length > 0) {
    writeWarning(`${open.join(", ")}: open in another process, so not deleted`);
  }
  if (json) writeJson({ deleted });
  else writeNote(`Deleted ${counted(deleted.length, "conversation")}.`);
}
