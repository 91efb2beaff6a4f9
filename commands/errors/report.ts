/**
 * From an error to what the person reads and the exit code.
 *
 * @module
 */
import { CommanderError } from "commander";
import { FlexLLMError, HttpError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";
import { printable } from "../terminal/sanitize.ts";
import { colored, writeNote } from "../terminal/output.ts";

/** Codes of errors that say that the use, the configuration or a file is wrong. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  "authentication",
  "cache",
  "journal",
  "journal_mismatch",
  "configuration",
  "invalid_input",
]);

function exitCodeOf(error: FlexLLMError): number {
  if (error.code === "aborted") return EXIT.interrupted;
  if (error.code === "budget_exceeded") return EXIT.budget;
  return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed;
}

function details(error: unknown): string {
  const lines: string[] = [];
  // What the support of a service asks for first.
  if (error instanceof HttpError && error.requestId !== undefined) {
    lines.push(`id of the request: ${printable(error.requestId)}`);
  }
  const stacks: string[] = [];
  for (let e = error; e instanceof Error; e = e.cause) stacks.push(e.stack ?? e.message);
  return [...lines, stacks.join("\ncaused by: ")].join("\n");
}

/** Says what went wrong, one line and a hint; with `verbose` also where. Gives the exit code. */
export function reportError(error: unknown, verbose: boolean): number {
  // Commander has said already what it has to say, and help is no error.
  if (error instanceof CommanderError) return error.exitCode;
  const known = error instanceof FlexLLMError;
  // A server's message is in it, which must not steer the terminal.
  const message = printable(error instanceof Error ? error.message : String(error));
  // What the person cancelled is no error.
  const label = known && error.code === "aborted" ? "" : `${colored("red", "error:")} `;
  writeNote(`${label}${known ? message : `unexpected: ${message}`}`);
  if (known && error.hint !== undefined) writeNote(error.hint);
  if (!known) writeNote("This is a fault of flexllm; --verbose shows where.");
  if (verbose) writeNote(colored("dim", details(error)));
  return known ? exitCodeOf(error) : EXIT.usage;
}
