/**
 * A command before its module is loaded.
 *
 * @module
 */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** A command that can be loaded. */
export interface CommandEntry {
  /** The name on the command line. */
  name: string;
  /** What it does, for the help. */
  description: string;
  /** Whether the help omits it: it is for programs. */
  hidden?: true;
  /** Loads it; `commands` are all commands, for the one that completes command lines. */
  load(commands: readonly CommandEntry[]): Promise<CommandUnknownOpts>;
}

/** Loads the command of `entry`. */
export async function loadCommand(
  entry: CommandEntry,
  commands: readonly CommandEntry[],
): Promise<CommandUnknownOpts> {
  return (await entry.load(commands)).description(entry.description);
}
