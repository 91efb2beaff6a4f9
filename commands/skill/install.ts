/**
 * Installs the skill into the folders that coding agents read.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import { fileReason } from "../../lib/files/reasons.ts";
import { writeUserFile } from "../../lib/files/replace_file.ts";
import { quoted } from "../terminal/format.ts";
import { isUnchanged, SKILL_NAME } from "./page.ts";

/**
 * The folders, relative to a project or the home directory: `.claude` for Claude Code, `.agents` for Codex,
 * Cursor, Copilot, Gemini CLI, OpenCode, Amp and others.
 */
const FOLDERS = [join(".claude", "skills"), join(".agents", "skills")];

/** Where to install. */
export interface InstallFlags {
  /** For all projects, in the home directory. */
  global?: true;
  /** A folder of skills, instead of those of known agents. */
  dir?: string;
  force?: true;
}

/** The files that {@link installSkill} writes. */
export function skillFiles({ global, dir }: InstallFlags): string[] {
  const { HOME, USERPROFILE } = process.env;
  const base = global ? HOME || USERPROFILE || homedir() : process.cwd();
  const folders = dir === undefined ? FOLDERS.map((folder) => join(base, folder)) : [dir];
  return folders.map((folder) => join(folder, SKILL_NAME, "SKILL.md"));
}

function readExisting(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  } catch (cause) {
    throw new ConfigurationError(`cannot read ${file}: ${fileReason(cause)}`, { cause });
  }
}

/** A file, and whether it was written. */
export interface InstalledFile {
  file: string;
  state: "created" | "updated" | "already up to date";
}

/**
 * Writes the skill to all files, or to none if one of them has been changed.
 *
 * @throws {ConfigurationError} if a file has been changed and `force` is not set, or cannot be written
 */
export function installSkill(page: string, flags: InstallFlags): InstalledFile[] {
  const files = skillFiles(flags).map((file) => ({ file, old: readExisting(file) }));
  const changed = files.filter(({ old }) => old !== undefined && old !== page && !isUnchanged(old));
  if (changed.length > 0 && !flags.force) {
    const paths = changed.map(({ file }) => file);
    throw new ConfigurationError(`changed since it was installed: ${paths.join(", ")}`, {
      hint: "Replace it with --force. To compare: " +
        `flexllm skill | diff ${quoted(paths[0])} -`,
    });
  }
  return files.map(({ file, old }) => {
    if (old === page) return { file, state: "already up to date" };
    // Not a secret: it is committed with the project.
    writeUserFile(file, page, false);
    return { file, state: old === undefined ? "created" : "updated" };
  });
}
