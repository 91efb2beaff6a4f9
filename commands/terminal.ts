/**
 * Writing to the terminal: results to stdout, everything else to stderr.
 *
 * @module
 */
import process from "node:process";
import { styleText } from "node:util";
import { EXIT } from "./exit_codes.ts";

let lastWrite: Promise<void> = Promise.resolve();

// Whoever reads our output may leave early, as `head` does; that is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});
process.stderr.on("error", () => {});

/** Writes a result. */
export function writeOutput(text: string): void {
  lastWrite = new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

/** Waits until all results are written. */
export function flushOutput(): Promise<void> {
  return lastWrite;
}

/** Writes a line for the person. */
export function writeNote(line: string): void {
  process.stderr.write(`${line}\n`);
}

type Style = "red" | "yellow" | "green" | "dim" | "bold";

/** `text` in a colour when stderr is a terminal and `NO_COLOR` is not set. */
export function colored(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr, validateStream: true });
}
