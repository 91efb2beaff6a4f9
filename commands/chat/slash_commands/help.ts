/**
 * `/help`: lists the slash commands and keys.
 *
 * @module
 */
import { screenWidth, wrapped } from "../../terminal/wrap.ts";
import type { SlashCommand } from "./slash_command.ts";

/** The column in which descriptions start. */
const HELP_COLUMN = 24;

const KEYS = [
  'For a message of several lines, end lines with \\, put """ around it, or paste it.',
  "Up and Down recall messages, Tab completes. A line that starts with a space is sent literally " +
  "and not saved in the history.",
  "Ctrl-C stops an answer or clears the line; press it twice to exit. Ctrl-D exits.",
];

/** Prints the help, wrapped to the width of the terminal. */
export function printHelp(
  commands: Readonly<Record<string, SlashCommand>>,
  say: (line: string) => void,
): void {
  const width = screenWidth();
  const isNarrow = width < 2 * HELP_COLUMN;
  const column = isNarrow ? 4 : HELP_COLUMN;
  for (const [name, { usage, help }] of Object.entries(commands)) {
    const synopsis = `  ${`/${name} ${usage}`.padEnd(HELP_COLUMN - 2)}`;
    if (isNarrow) say(synopsis.trimEnd());
    const [line, ...more] = wrapped(help, width - column);
    say(`${isNarrow ? " ".repeat(column) : synopsis}${line}`);
    for (const line of more) say(" ".repeat(column) + line);
  }
  say("");
  for (const text of KEYS) wrapped(text, width).forEach(say);
}
