/**
 * Formats a list of saved conversations as a table.
 *
 * @module
 */
import type { ConversationSummary } from "../../lib/conversations/store.ts";
import { type Column, table, type TableOptions } from "../terminal/table.ts";

/** The local time, to the minute. */
function minute(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** How the table is formatted. */
export interface ConversationTableOptions extends TableOptions {
  /** Whether to list ids. */
  ids?: boolean;
  /** The id of the conversation to mark. */
  current?: string;
}

/** The lines of the table, the first of `conversations` last: nearest to the prompt. */
export function conversationTable(
  conversations: readonly ConversationSummary[],
  { ids = false, current, ...options }: ConversationTableOptions = {},
): string[] {
  const columns: [Column, (conversation: ConversationSummary) => string][] = [
    [{ title: "#", align: "right", untruncated: true }, ({ number }) => String(number)],
    [{ title: "last used", untruncated: true }, ({ updated }) => minute(updated)],
    [{ title: "turns", align: "right" }, ({ turns }) => String(turns)],
    [{ title: "model" }, ({ model }) => model],
    [{ title: "title" }, ({ id, title }) => id === current ? `${title} (current)` : title],
  ];
  if (ids) columns.splice(1, 0, [{ title: "id", untruncated: true }, ({ id }) => id]);
  const rows = conversations.toReversed().map((item) => columns.map(([, read]) => read(item)));
  return table(columns.map(([column]) => column), rows, options);
}
