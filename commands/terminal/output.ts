/**
 * Writing to the terminal: results to stdout, everything else to stderr.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { writeSync } from "node:fs";
import process from "node:process";
import { styleText } from "node:util";
import { ConfigurationError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";
import { fileReason } from "../../lib/files/reasons.ts";
import { printableJson, printableStyled } from "./sanitize.ts";

/** Waits a moment without giving way, for a pipe that is full. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/**
 * Writes a result. It is written when this returns: a disk that is full is an error here and now, not
 * one that nobody sees. On a terminal, control characters are replaced.
 */
export function writeOutput(text: string): void {
  const bytes = Buffer.from(process.stdout.isTTY ? printableStyled(text) : text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // Whoever reads our output may leave early, as `head` does; that is no error of ours.
      if (code === "EPIPE") process.exit(EXIT.ok);
      if (code !== "EAGAIN") throw outputError(error);
      pause();
    }
  }
}

function outputError(cause: unknown): ConfigurationError {
  return new ConfigurationError(`cannot write to standard output: ${fileReason(cause)}`, {
    cause,
    hint: "Make room, or write to another place.",
  });
}

/** Writes a result for programs; indented and with control characters escaped on a terminal. */
export function writeJson(value: unknown): void {
  const json = process.stdout.isTTY
    ? printableJson(JSON.stringify(value, null, 2))
    : JSON.stringify(value);
  writeOutput(`${json}\n`);
}

/** Takes the lines for the person while something is drawn on the terminal that they would break. */
let diverted: ((line: string) => void) | undefined;

/** Gives what is written with {@link writeNote} to `write` until called with `undefined`. */
export function divertNotes(write: ((line: string) => void) | undefined): void {
  diverted = write;
}

let isGuarded = false;

/** Standard error, whose reader may leave. It is opened when it is needed, since that takes time. */
export function errorStream(): NodeJS.WriteStream {
  if (!isGuarded) process.stderr.on("error", () => {});
  isGuarded = true;
  return process.stderr;
}

/** Writes a line for people, without terminal control characters other than colours. */
export function writeNote(line: string): void {
  const shown = printableStyled(line);
  if (diverted === undefined) errorStream().write(`${shown}\n`);
  else diverted(shown);
}

/** Writes a warning. `write` replaces {@link writeNote} where notes go elsewhere or are silenced. */
export function writeWarning(text: string, write: (line: string) => void = writeNote): void {
  write(`${colored("yellow", "warning:")} ${text}`);
}

/** How a text can be set off. */
export type Style = "red" | "yellow" | "green" | "dim" | "bold";

/** `text` in a colour when `stream` is a terminal and `NO_COLOR` is not set. */
export function colored(
  style: Style,
  text: string,
  stream: NodeJS.WriteStream = process.stderr,
): string {
  return styleText(style, text, { stream, validateStream: true });
}

/** Whether stdout is a terminal that shows colours. */
export function showsColors(): boolean {
  const stream = process.stdout;
  return stream.isTTY === true &&
    styleText("bold", "x", { stream, validateStream: true }) !== "x";
}
