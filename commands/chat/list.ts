/**
 * `flexllm chat --list`
 *
 * @module
 */
import type { ConversationStore, ConversationSummary } from "../../lib/conversations/store.ts";
import { type Column, table } from "../terminal/table.ts";
import { colored, writeJson, writeNote, writeOutput, writeWarning } from "../terminal/output.ts";

function toJson({ totals, ...summary }: ConversationSummary) {
  return {
    ...summary,
    prompt_tokens: totals.promptTokens,
    completion_tokens: totals.completionTokens,
    cost: totals.answers > 0 && totals.unpriced === totals.answers ? null : totals.cost,
  };
}

/** The local time, to the minute. */
function minute(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Lists the conversations that are kept, the last first. */
export function listConversations(store: ConversationStore, json: boolean): void {
  const { conversations, problems } = store.list();
  for (const problem of problems) writeWarning(problem);
  if (json) return writeJson(conversations.map(toJson));
  if (conversations.length === 0) return writeNote("There is no conversation yet.");
  const columns: Column[] = [
    { title: "id", whole: true },
    { title: "last used" },
    { title: "turns", align: "right" },
    { title: "model" },
    { title: "begins with" },
  ];
  const rows = conversations.map(({ id, title, model, turns, updated }) => [
    id,
    minute(updated),
    String(turns),
    model,
    title,
  ]);
  writeOutput(`${table(columns, rows).join("\n")}\n`);
  writeNote(
    colored("dim", "flexllm chat --resume ID goes on with one; the start of an ID is enough."),
  );
}
