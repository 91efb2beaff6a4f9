/**
 * Prints errors and maps them to exit codes.
 *
 * @module
 */
import process from "node:process";
import { CommanderError } from "commander";
import { FlexLLMError, HttpError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { printable } from "../terminal/sanitize.ts";
import { widthOfStream } from "../terminal/wrap.ts";
import { hintLines } from "../terminal/hint_lines.ts";
import { inTermsOfFlags } from "./option_names.ts";

/** Errors of usage, configuration or files rather than of a request. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  "authentication",
  "cache",
  "journal",
  "journal_mismatch",
  "configuration",
  "invalid_input",
]);

/** The exit code of a command that failed with `error`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (!(error instanceof FlexLLMError)) return EXIT.usage;
  if (error.code === "aborted") return EXIT.interrupted;
  if (error.code === "budget_exceeded") return EXIT.budget;
  return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed;
}

function details(error: unknown): string {
  const lines: string[] = [];
  // Providers ask for it when you report a problem.
  if (error instanceof HttpError && error.requestId !== undefined) {
    lines.push(`request id: ${printable(error.requestId)}`);
  }
  const stacks: string[] = [];
  for (let e = error; e instanceof Error; e = e.cause) stacks.push(e.stack ?? e.message);
  return [...lines, stacks.join("\ncaused by: ")].join("\n");
}

/**
 * Prints the message and hint of an error; with `verbose` also its request id and stack trace.
 *
 * @param subject what the error concerns, if a command has several of them, such as a model
 */
export function reportError(error: unknown, verbose: boolean, subject?: string): void {
  // Commander has already printed its errors; requests for help are not errors.
  if (error instanceof CommanderError) return;
  const isKnown = error instanceof FlexLLMError;
  const { message: text, hint } = isKnown
    ? inTermsOfFlags(error)
    : { message: error instanceof Error ? error.message : String(error), hint: undefined };
  // Servers control parts of the message, so control characters are removed.
  const message = printable(text);
  // A cancellation by the user is not an error.
  const label = isKnown && error.code === "aborted" ? "" : `${colored("red", "error:")} `;
  const about = subject === undefined ? "" : `${printable(subject)}: `;
  const columns = widthOfStream(process.stderr);
  const lines = hintLines(
    `${label}${about}${isKnown ? message : `unexpected: ${message}`}`,
    columns,
  );
  if (hint !== undefined) lines.push(...hintLines(hint, columns));
  for (const line of lines) writeNote(line);
  if (!isKnown) writeNote("This is a bug in flexllm; use --verbose for a stack trace.");
  if (verbose) writeNote(colored("dim", details(error)));
}
