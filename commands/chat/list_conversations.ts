/**
 * `flexllm chat --list`: lists saved conversations, the last used nearest to the prompt.
 *
 * @module
 */
import process from "node:process";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import type { ConversationSummary } from "../../lib/conversations/summary.ts";
import { counted } from "../terminal/format.ts";
import { colored, writeJson, writeNote, writeOutput } from "../terminal/output.ts";
import { writeWarning } from "../terminal/sentences.ts";
import { screenWidth, wrapped } from "../terminal/wrap.ts";
import { conversationTable } from "./conversation_table.ts";

/** How many conversations are listed without `--count`. */
const DEFAULT_COUNT = 20;

const MIN_COLUMNS_FOR_IDS = 80;

/** What to list. */
export interface ListOptions {
  /** Only conversations whose title or messages contain this text. */
  text?: string;
  /** Maximum number of conversations; without it, JSON lists all. */
  count?: number;
  json: boolean;
}

/** The summary of a conversation, under the names in JSON. */
export function summaryJson({ totals, number: _, ...summary }: ConversationSummary) {
  return {
    ...summary,
    prompt_tokens: totals.promptTokens,
    completion_tokens: totals.completionTokens,
    cost: totals.answers > 0 && totals.unpriced === totals.answers ? null : totals.cost,
  };
}

function note(text: string): void {
  for (const line of wrapped(text, screenWidth())) writeNote(colored("dim", line));
}

/** Prints saved conversations. JSON has the last used first. Unreadable files are warnings. */
export function listConversations(
  store: ConversationStore,
  { text = "", count, json }: ListOptions,
): void {
  const { conversations, problems } = store.list(text);
  for (const problem of problems) writeWarning(problem);
  if (json) return writeJson(conversations.slice(0, count).map(summaryJson));
  if (conversations.length === 0) {
    return writeNote(
      text === ""
        ? "No saved conversations."
        : `No saved conversation contains ${JSON.stringify(text)}.`,
    );
  }
  const shown = conversations.slice(0, count ?? DEFAULT_COUNT);
  const { isTTY, columns } = process.stdout;
  // On a narrow terminal, the number identifies a conversation.
  const ids = !isTTY || columns >= MIN_COLUMNS_FOR_IDS;
  writeOutput(`${conversationTable(shown, { ids }).join("\n")}\n`);
  const older = conversations.length - shown.length;
  if (older > 0) {
    const search = text === "" ? ", and --list TEXT searches" : "";
    const all = `-n ${conversations.length} lists them${search}`;
    note(`${counted(older, "older conversation")} not shown; ${all}.`);
  }
  note("Resume one with flexllm chat --resume, followed by its # or ID.");
}
