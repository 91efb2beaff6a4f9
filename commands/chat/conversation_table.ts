/**
 * Formats a list of saved conversations as a table.
 *
 * @module
 */
import type { ConversationSummary } from "../../lib/conversations/summary.ts";
import { dollars } from "../terminal/format.ts";
import { type Column, table, type TableOptions } from "../terminal/table.ts";

/** The local time, to the minute. */
export function minute(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** How the table is formatted. */
export interface ConversationTableOptions extends TableOptions {
  /** Whether to list ids. */
  ids?: boolean;
  /** Whether to list costs. */
  costs?: boolean;
  /** Whether the first of the conversations is the first row, not the last. */
  newestFirst?: boolean;
  /** The id of the conversation to mark. */
  current?: string;
}

/** The cost of a conversation, as far as it is known. */
function costOf({ totals: { answers, cost, unpriced } }: ConversationSummary): string {
  if (answers === unpriced) return answers === 0 ? "" : "unknown";
  return `${dollars(cost)}${unpriced > 0 ? "+" : ""}`;
}

/** The lines of the table; by default, the first of `conversations` is last: nearest to the prompt. */
export function conversationTable(
  conversations: readonly ConversationSummary[],
  { ids = false, costs = false, newestFirst = false, current, ...options }:
    ConversationTableOptions = {},
): string[] {
  const columns: [Column, (conversation: ConversationSummary) => string][] = [
    [{ title: "#", align: "right", untruncated: true }, ({ number }) => String(number)],
    [{ title: "last used", untruncated: true }, ({ updated }) => minute(updated)],
    [{ title: "turns", align: "right" }, ({ turns }) => String(turns)],
    [{ title: "model" }, ({ model }) => model],
    [{ title: "title" }, ({ id, title }) => id === current ? `${title} (current)` : title],
  ];
  if (ids) columns.splice(1, 0, [{ title: "id", untruncated: true }, ({ id }) => id]);
  if (costs) columns.splice(-2, 0, [{ title: "cost", align: "right" }, costOf]);
  const ordered = newestFirst ? conversations : conversations.toReversed();
  const rows = ordered.map((item) => columns.map(([, read]) => read(item)));
  return table(columns.map(([column]) => column), rows, options);
}
