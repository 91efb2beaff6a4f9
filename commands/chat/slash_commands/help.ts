/**
 * `/help`: lists the slash commands and keys.
 *
 * @module
 */
import { screenWidth, wrapped } from "../../terminal/wrap.ts";
import { colored } from "../../terminal/output.ts";
import type { SlashCommand } from "./slash_command.ts";

/** The column in which descriptions start. */
const HELP_COLUMN = 28;

const KEYS = [
  'For a message of several lines, end lines with \\, put """ around it, or paste it.',
  "Up and Down recall messages, Ctrl-R searches them, Tab completes. A line that starts with a " +
  'space is sent literally (also "exit") and not saved in the history.',
  "Ctrl-C stops an answer or clears the line; press it twice to exit. Ctrl-Z suspends the chat. " +
  "Ctrl-D exits.",
];

/** Prints the help, wrapped to the width of the terminal. */
export function printHelp(
  groups: Readonly<Record<string, Readonly<Record<string, SlashCommand>>>>,
  say: (line: string) => void,
): void {
  const width = screenWidth();
  const isNarrow = width < 2 * HELP_COLUMN;
  const column = isNarrow ? 4 : HELP_COLUMN;
  for (const [heading, commands] of Object.entries(groups)) {
    say(colored("bold", `${heading}:`));
    for (const [name, { usage, help }] of Object.entries(commands)) {
      const synopsis = `  /${name} ${usage}`.trimEnd();
      const lines = wrapped(help, width - column);
      // A synopsis that is too long is on a line of its own.
      const isOwnLine = isNarrow || synopsis.length > column - 2;
      say(isOwnLine ? synopsis : synopsis.padEnd(column) + lines.shift());
      for (const line of lines) say(" ".repeat(column) + line);
    }
    say("");
  }
  for (const text of KEYS) wrapped(text, width).forEach(say);
}
