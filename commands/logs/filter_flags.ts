/**
 * The flags that select saved conversations.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import process from "node:process";
import type { ConversationFilter } from "../../lib/conversations/browse.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { pastTime } from "../flags/past_time.ts";

function option<Flags extends string>(flags: Flags, description: string) {
  return new Option(flags, description).helpGroup(HELP_GROUPS.conversation);
}

/** The flags. */
export const filterFlags = {
  model: option(
    "-m, --model <name>",
    "only conversations with a model whose name contains this",
  ),
  since: option(
    "--since <time>",
    "only those last used since: 12h, 7d, 2026-11-01, 2026-11-01T10:00",
  )
    .argParser(pastTime("start")),
  until: option("--until <time>", "only those last used until then; same formats")
    .argParser(pastTime("end")),
} as const;

/** What selects conversations, by its number, its id, `last`, or words from it. */
export const CONVERSATION_HELP = "# in the list, ID or its start, last, or words from it";

/** Whether a filter selects less than everything. */
export function isFiltered({ model, since, until }: ConversationFilter): boolean {
  return model !== undefined || since !== undefined || until !== undefined;
}

/** The store of the user's conversations. */
export async function openStore(): Promise<ConversationStore> {
  const { ConversationStore } = await import("../../lib/conversations/store.ts");
  const { homeFolder } = await import("../../lib/files/paths.ts");
  return new ConversationStore(homeFolder(process.env));
}
