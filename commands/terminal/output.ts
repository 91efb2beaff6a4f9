/**
 * Writes results to stdout and everything else to stderr.
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

/** Blocks for a few milliseconds, until a full pipe may have drained. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/**
 * Writes a result synchronously, so that a full disk is reported as an error. On a terminal, control
 * characters are replaced.
 *
 * @throws {ConfigurationError} if the output cannot be written
 */
export function writeOutput(text: string): void {
  writeRendered(process.stdout.isTTY ? printableStyled(text) : text);
}

/**
 * Writes a result like {@link writeOutput}, but keeps all escape sequences. Everything in `text` that comes
 * from a model or server must have been made printable before.
 *
 * @throws {ConfigurationError} if the output cannot be written
 */
export function writeRendered(text: string): void {
  writeBytes(Buffer.from(text));
}

/**
 * Writes bytes to stdout as they are. A closed pipe ends the process.
 *
 * @throws {ConfigurationError} if the output cannot be written
 */
export function writeBytes(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // The reader closed the pipe, as `head` does: not an error.
      if (code === "EPIPE") process.exit(EXIT.ok);
      if (code !== "EAGAIN") throw outputError(error);
      pause();
    }
  }
}

function outputError(cause: unknown): ConfigurationError {
  return new ConfigurationError(`cannot write to standard output: ${fileReason(cause)}`, {
    cause,
    hint: "Free up space or write somewhere else.",
  });
}

/** Writes a result as JSON; on a terminal it is indented and control characters are escaped. */
export function writeJson(value: unknown): void {
  const json = process.stdout.isTTY
    ? printableJson(JSON.stringify(value, null, 2))
    : JSON.stringify(value);
  writeOutput(`${json}\n`);
}

/** Receives notes instead of stderr while live output is on the terminal. */
let noteSink: ((line: string) => void) | undefined;

/** Redirects {@link writeNote} to `write`, or back to stderr if it is `undefined`. */
export function divertNotes(write: ((line: string) => void) | undefined): void {
  noteSink = write;
}

let isGuarded = false;

/** Stderr, ignoring errors of a closed pipe. Opened on first use, since that takes time. */
export function errorStream(): NodeJS.WriteStream {
  if (!isGuarded) process.stderr.on("error", () => {});
  isGuarded = true;
  return process.stderr;
}

/** Writes a line to stderr, with control characters other than colors replaced. */
export function writeNote(line: string): void {
  const shown = printableStyled(line);
  if (noteSink === undefined) errorStream().write(`${shown}\n`);
  else noteSink(shown);
}

/** Prefixes `text` with `warning:`. */
export function warning(text: string): string {
  return `${colored("yellow", "warning:")} ${text}`;
}

/** A text style. */
export type Style = "red" | "yellow" | "green" | "dim" | "bold";

/** Styles `text` if `stream` is a terminal that shows colors and `NO_COLOR` is not set. */
export function colored(
  style: Style,
  text: string,
  stream: NodeJS.WriteStream = process.stderr,
): string {
  return styleText(style, text, { stream, validateStream: true });
}

/** Whether `stream` is a terminal whose cursor can be moved, so that lines can be redrawn. */
export function canRedraw(stream: NodeJS.WriteStream = process.stderr): boolean {
  return stream.isTTY === true && process.env.TERM !== "dumb";
}

/** Whether `stream` is a terminal that shows colors. */
export function showsColors(stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.isTTY === true &&
    styleText("bold", "x", { stream, validateStream: true }) !== "x";
}
