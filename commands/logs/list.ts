/**
 * `flexllm logs`: lists saved conversations, the last used first.
 *
 * @module
 */
import process from "node:process";
import { browse, type ConversationFilter } from "../../lib/conversations/browse.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { type ConversationSummary, summaryOf } from "../../lib/conversations/summary.ts";
import { conversationTable } from "../chat/conversation_table.ts";
import { summaryJson } from "../chat/list_conversations.ts";
import { writeJson, writeNote, writeOutput } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import { isFiltered } from "./filter_flags.ts";

/** How many conversations are listed by default; JSON has all. */
export const DEFAULT_COUNT = 20;

const MIN_COLUMNS_FOR_IDS = 100;

/** What to list. */
export interface ListOptions extends ConversationFilter {
  /** Maximum number of conversations. */
  count?: number;
  json: boolean;
}

/** Prints saved conversations. Unreadable files are warnings. */
export function listConversations(
  store: ConversationStore,
  { json, count = json ? Infinity : DEFAULT_COUNT, ...filter }: ListOptions,
): void {
  const shown: ConversationSummary[] = [];
  let hasMore = false;
  for (const entry of browse(store, filter)) {
    if ("problem" in entry) {
      writeWarning(entry.problem);
    } else if (shown.length === count) {
      hasMore = true;
      break;
    } else shown.push(summaryOf(entry));
  }
  if (json) return writeJson(shown.map(summaryJson));
  if (shown.length === 0) {
    return writeNote(
      isFiltered(filter)
        ? "No saved conversation matches."
        : "No saved conversations. ask and chat save theirs, unless --no-save is given.",
    );
  }
  const { isTTY, columns } = process.stdout;
  const ids = !isTTY || columns >= MIN_COLUMNS_FOR_IDS;
  const options = { ids, costs: true, newestFirst: true };
  writeOutput(`${conversationTable(shown, options).join("\n")}\n`);
  if (!process.stderr.isTTY) return;
  if (hasMore) {
    writeSentences("There are older ones: -n lists more, and `flexllm logs search` searches all.");
  }
  writeSentences("Show one: `flexllm logs show 1`. Continue it: `flexllm chat --resume 1`.");
}
