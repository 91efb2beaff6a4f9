/**
 * What Tab offers: commands, models, levels, paths.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { THINKING_LEVELS } from "../../../lib/chat/options.ts";
import type { Config } from "../../../lib/config/load.ts";
import { expandPath } from "../../../lib/input/attachment.ts";
import { configuredNames } from "../../conversation/connect.ts";
import { SLASH_COMMANDS } from "../slash_commands.ts";

const LEVELS = ["on", "off", ...THINKING_LEVELS, "default"];

/** The paths that begin with `typed`, folders with a slash at their end. */
function paths(typed: string): string[] {
  const folder = typed.endsWith("/") ? typed : `${dirname(typed)}/`;
  const shownFolder = typed.includes("/") ? typed.slice(0, typed.lastIndexOf("/") + 1) : "";
  const start = typed.endsWith("/") || typed === "" ? "" : basename(typed);
  try {
    return readdirSync(expandPath(folder), { withFileTypes: true })
      .filter(({ name }) => name.startsWith(start) && (start !== "" || !name.startsWith(".")))
      .map((entry) => `${shownFolder}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .sort();
  } catch {
    // Nothing to offer in a folder that is not there.
    return [];
  }
}

function argumentsOf(command: string, typed: string, config: Config): string[] {
  switch (command) {
    case "model":
      return configuredNames(config).filter((name) => name.startsWith(typed));
    case "thinking":
      return LEVELS.filter((level) => level.startsWith(typed));
    case "file":
    case "image":
    case "save":
      return paths(typed);
    default:
      return [];
  }
}

/** The completions of the line up to the cursor, and the part of it that they stand for. */
export function completeLine(line: string, config: Config): [string[], string] {
  if (/^\/[a-z]*$/.test(line)) {
    const names = Object.keys(SLASH_COMMANDS).map((name) => `/${name}`);
    const found = names.filter((name) => name.startsWith(line));
    return [found.length === 1 ? [`${found[0]} `] : found, line];
  }
  const [, command, typed] = /^\/([a-z]+) +(.*)$/.exec(line) ?? [];
  if (command === undefined) return [[], line];
  return [argumentsOf(command, typed, config), typed];
}
