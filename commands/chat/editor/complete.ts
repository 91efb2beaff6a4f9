/**
 * Tab completion of slash commands, models, thinking levels and paths.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { THINKING_LEVELS } from "../../../lib/chat/options.ts";
import type { Config } from "../../../lib/config/load.ts";
import { expandPath } from "../../../lib/input/attachment.ts";
import { configuredNames } from "../../conversation/connect.ts";
import { SLASH_COMMANDS } from "../slash_commands/slash_commands.ts";

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

function completeArgument(command: string, typed: string, config: Config): string[] {
  switch (command) {
    case "model":
      return configuredNames(config).filter((name) => name.startsWith(typed));
    case "thinking":
      return LEVELS.filter((level) => level.startsWith(typed));
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
export function completeLine(line: string, config: Config): [string[], string] {
  if (/^\/[a-z]*$/.test(line)) {
    const names = Object.keys(SLASH_COMMANDS).map((name) => `/${name}`);
    const found = names.filter((name) => name.startsWith(line));
    return [found.length === 1 ? [`${found[0]} `] : found, line];
  }
  const [, command, typed] = /^\/([a-z]+) +(.*)$/.exec(line) ?? [];
  if (command === undefined) return [[], line];
  return [completeArgument(command, typed, config), typed];
}
