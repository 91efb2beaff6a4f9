/**
 * Checks the result files that a command line names.
 *
 * @module
 */
import { ConfigurationError } from "../../lib/errors.ts";
import { defaultPath } from "./report_file.ts";

/**
 * The named files without the events and reports of others, which a pattern of the shell such as `answers*` includes.
 *
 * @param command the command, for messages
 * @throws {ConfigurationError} if there is none, or standard input is named twice
 */
export function resultFiles(named: readonly string[], command: string): string[] {
  const written = new Set(named.flatMap((file) => [`${file}.events`, defaultPath([file])]));
  const files = named.filter((file) => !written.has(file));
  if (files.length === 0) {
    throw new ConfigurationError("no result file", {
      hint: `Name a file that a batch wrote with -o: ${command} answers.jsonl`,
    });
  }
  if (files.filter((file) => file === "-").length > 1) {
    throw new ConfigurationError("standard input (-) is given twice");
  }
  return files;
}
