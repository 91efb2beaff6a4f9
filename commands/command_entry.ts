/**
 * Defines an entry of the command registry, whose module is loaded on demand.
 *
 * @module
 */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** The headings of the commands in the help. */
export type CommandGroup = "Prompts:" | "Models:" | "Setup:" | "Tools:";

/** A command that is loaded on demand. */
export interface CommandEntry {
  /** The name on the command line. */
  name: string;
  /** The description in the help. */
  description: string;
  /** The heading under which the help lists it. */
  group: CommandGroup;
  /** Whether to omit it from the help. */
  hidden?: true;
  /** Loads the command. `commands` is the whole registry, for `complete`. */
  load(commands: readonly CommandEntry[]): Promise<CommandUnknownOpts>;
}

/** Loads the command of `entry` and sets its description. */
export async function loadCommand(
  entry: CommandEntry,
  commands: readonly CommandEntry[],
): Promise<CommandUnknownOpts> {
  return (await entry.load(commands)).description(entry.description);
}
