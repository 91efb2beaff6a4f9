/**
 * Adds notes below the flags in a command's help.
 *
 * @module
 */
import type { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { screenWidth, wrapped } from "../terminal/wrap.ts";

/** Adds paragraphs below the flags in a command's help, wrapped at the width of the terminal. */
export function addNotes<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  paragraphs: readonly string[],
): Command<A, O> {
  return command.addHelpText("after", () => {
    const columns = screenWidth([process.stdout]) - 2;
    return paragraphs.map((text) => `\n${wrapped(text, columns).join("\n  ")}`).join("\n");
  });
}
