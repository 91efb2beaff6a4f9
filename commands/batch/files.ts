/**
 * Checks the input and output files of a batch.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import type { BatchFlags } from "./flags.ts";

function isSameFile(a: string, b: string): boolean {
  try {
    const [first, second] = [a, b].map((path) => statSync(path));
    return first.ino === second.ino && first.dev === second.dev;
  } catch {
    // Opening the file reports the problem in more detail.
    return false;
  }
}

/**
 * Checks both files and returns the path of the result file; an estimate needs none.
 *
 * @throws {ConfigurationError} if a file is missing, has the wrong extension, or is both input and output
 */
export function checkFiles(
  input: string | undefined,
  { output, retryFailed, estimate }: BatchFlags,
): string | undefined {
  if (output === undefined) {
    if (estimate) return undefined;
    throw new ConfigurationError("no output file", {
      hint: "Specify one with -o: flexllm batch input.jsonl -o output.jsonl",
    });
  }
  if (!output.endsWith(".jsonl")) {
    throw new ConfigurationError(`the output file must end in .jsonl, got ${output}`, {
      hint: "It contains one JSON result per line: -o answers.jsonl",
    });
  }
  if (input === undefined && process.stdin.isTTY) {
    throw new ConfigurationError("no input", {
      hint: "Specify a JSONL file or pipe one in: flexllm batch input.jsonl -o output.jsonl",
    });
  }
  if (input !== undefined && isSameFile(input, output)) {
    throw new ConfigurationError(`input and output are the same file: ${input}`, {
      hint: "Choose another output file with -o.",
    });
  }
  if (retryFailed && !existsSync(output)) {
    throw new ConfigurationError(`--only-failed: the result file ${output} does not exist`, {
      hint: "Omit the flag for the first run.",
    });
  }
  return output;
}
