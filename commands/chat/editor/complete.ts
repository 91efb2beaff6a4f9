/**
 * Tab completion of slash commands, models, thinking levels, conversations and paths.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { THINKING_LEVELS } from "../../../lib/chat/options.ts";
import { expandPath } from "../../../lib/input/attachment.ts";
import { selectableModels } from "../../../lib/config/models.ts";
import type { ChatContext } from "../chat_context.ts";
import { serverModels } from "../server_models.ts";
import { SLASH_COMMANDS } from "../slash_commands/slash_commands.ts";

import type { Completions } from "./apply_completion.ts";

/** What completion uses of a chat. */
export type CompletionContext = Pick<ChatContext, "config" | "session" | "store">;

const LEVELS = ["on", "off", ...THINKING_LEVELS, "default"];

/** The paths that start with `typed`. Folders end with a slash; hidden files need a leading dot. */
function completePath(typed: string): string[] {
  const folder = typed.endsWith("/") ? typed : `${dirname(typed)}/`;
  const typedFolder = typed.includes("/") ? typed.slice(0, typed.lastIndexOf("/") + 1) : "";
  const prefix = typed.endsWith("/") || typed === "" ? "" : basename(typed);
  try {
    return readdirSync(expandPath(folder), { withFileTypes: true })
      .filter(({ name }) => name.startsWith(prefix) && (prefix !== "" || !name.startsWith(".")))
      .map((entry) => `${typedFolder}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .sort();
  } catch {
    // The folder does not exist or cannot be read.
    return [];
  }
}

/** Configured models, then those of the server in use. */
async function models({ config, session }: CompletionContext): Promise<string[]> {
  return [...new Set([...selectableModels(config.value), ...await serverModels(session.client)])];
}

function completeConversation({ store }: CompletionContext, typed: string): string[] {
  const { conversations } = store.list();
  return conversations.map(({ id }) => id).filter((id) => typed !== "" && id.startsWith(typed));
}

async function completeArgument(
  command: string,
  typed: string,
  context: CompletionContext,
): Promise<string[]> {
  switch (command) {
    case "model":
      return (await models(context)).filter((name) => name.startsWith(typed));
    case "thinking":
      return LEVELS.filter((level) => level.startsWith(typed));
    case "copy":
      return ["code", "all"].filter((word) => word.startsWith(typed));
    case "resume":
      return completeConversation(context, typed);
    case "file":
    case "image":
    case "save":
      return completePath(typed);
    default:
      return [];
  }
}

/**
 * Completes the line up to the cursor.
 *
 * @returns the candidates, and the end of the line that they replace
 */
export async function completeLine(
  line: string,
  context: CompletionContext,
): Promise<Completions> {
  if (/^\/[a-z]*$/.test(line)) {
    const names = Object.keys(SLASH_COMMANDS).map((name) => `/${name}`);
    const found = names.filter((name) => name.startsWith(line));
    return [found.length === 1 ? [`${found[0]} `] : found, line];
  }
  const [, command, typed] = /^\/([a-z]+) +(.*)$/.exec(line) ?? [];
  if (command === undefined) return [[], line];
  return [await completeArgument(command, typed, context), typed];
}
